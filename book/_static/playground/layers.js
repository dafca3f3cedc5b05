// Layers: how a batch goes forward, and how the gradient of the loss comes back. A row is an example.
//
// `forward(x, mode)` returns y. In the mode "train" batch normalization also moves its running statistics; in
// "measure" it does not; in "evaluate" it uses them. `backward(dy)` takes dLoss/dy of the last batch that was
// not evaluated, writes the gradient of every parameter and returns dLoss/dx.
Playground.addPiece((P) => {
  "use strict";

  P.parameter = (rows, columns, start = 0) => ({
    value: P.fill(P.matrix(rows, columns), () => start),
    gradient: P.matrix(rows, columns),
    rateScale: 1,
    movedSquare: 0,
  });

  // What all layers share: a place for each result. A layer says how y and dx are filled. Evaluation has a place of its
  // own, so that it leaves what the backward pass needs, and what the pictures show, as the last training batch left it.
  P.Layer = class {
    parameters = {};
    children = [];

    forward(x, mode) {
      const place = mode === "evaluate" ? "evaluated" : "y";
      const y = (this[place] = P.room(this[place], x.rows, this.outputs ?? x.columns));
      if (mode !== "evaluate") this.x = x;
      this.fillOutput(y, x, mode);
      return y;
    }

    backward(dy) {
      this.dx = P.room(this.dx, this.x.rows, this.x.columns);
      this.fillGradient(this.dx, dy);
      return this.dx;
    }
  };

  P.Linear = class extends P.Layer {
    constructor(inputs, outputs, { bias = true } = {}) {
      super();
      this.outputs = outputs;
      this.parameters.weight = P.parameter(inputs, outputs);
      if (bias) this.parameters.bias = P.parameter(1, outputs);
    }

    fillOutput(y, x) {
      const { weight, bias } = this.parameters;
      P.multiply(y, x, weight.value);
      if (bias) addToRows(y, bias.value.values);
    }

    fillGradient(dx, dy) {
      const { weight, bias } = this.parameters;
      P.multiply(weight.gradient, this.x, dy, "a");
      P.multiply(dx, dy, weight.value, "b");
      if (bias) sumOfRows(bias.gradient.values, dy);
    }
  };

  function addToRows({ columns, values }, row) {
    for (let start = 0; start < values.length; start += columns) {
      for (let column = 0; column < columns; column++) values[start + column] += row[column];
    }
  }

  function sumOfRows(sum, { columns, values }) {
    sum.fill(0);
    for (let start = 0; start < values.length; start += columns) {
      for (let column = 0; column < columns; column++) sum[column] += values[start + column];
    }
  }

  P.Activation = class extends P.Layer {
    constructor(name) {
      super();
      Object.assign(this, P.activations[name]);
    }

    fillOutput(y, x) {
      this.fill(y.values, x.values);
    }

    fillGradient(dx, dy) {
      this.fillSlope(dx.values, this.x.values, this.y.values);
      for (let i = 0; i < dx.values.length; i++) dx.values[i] *= dy.values[i];
    }
  };

  // Fixup's scalars: a "bias", one number that is added to everything, or a "scale" that multiplies it.
  P.Scalar = class extends P.Layer {
    constructor(name) {
      super();
      this.parameters[name] = P.parameter(1, 1, name === "scale" ? 1 : 0);
    }

    fillOutput(y, x) {
      const scale = this.parameters.scale?.value.values[0] ?? 1, bias = this.parameters.bias?.value.values[0] ?? 0;
      for (let i = 0; i < y.values.length; i++) y.values[i] = scale * x.values[i] + bias;
    }

    fillGradient(dx, dy) {
      const { scale, bias } = this.parameters, factor = scale?.value.values[0] ?? 1;
      if (scale) scale.gradient.values[0] = P.dot(dy.values, this.x.values);
      if (bias) bias.gradient.values[0] = P.sum(dy.values);
      for (let i = 0; i < dx.values.length; i++) dx.values[i] = factor * dy.values[i];
    }
  };
});
