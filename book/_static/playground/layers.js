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

  // What all layers share: a place for each result. Evaluation has its own, so that it leaves what the backward
  // pass needs, and what the pictures show, as the last training batch left it.
  P.Layer = class {
    parameters = {};
    children = [];

    output(x, mode, columns = x.columns) {
      if (mode === "evaluate") return (this.evaluated = P.room(this.evaluated, x.rows, columns));
      this.x = x;
      return (this.y = P.room(this.y, x.rows, columns));
    }

    inputGradient() {
      return (this.dx = P.room(this.dx, this.x.rows, this.x.columns));
    }
  };

  P.Linear = class extends P.Layer {
    constructor(inputs, outputs, { bias = true } = {}) {
      super();
      this.parameters.weight = P.parameter(inputs, outputs);
      if (bias) this.parameters.bias = P.parameter(1, outputs);
    }

    forward(x, mode) {
      const { weight, bias } = this.parameters;
      const y = this.output(x, mode, weight.value.columns);
      P.multiply(y, x, weight.value);
      if (bias) addToRows(y, bias.value.values);
      return y;
    }

    backward(dy) {
      const { weight, bias } = this.parameters, dx = this.inputGradient();
      P.multiply(weight.gradient, this.x, dy, "a");
      P.multiply(dx, dy, weight.value, "b");
      if (bias) sumOfRows(bias.gradient.values, dy);
      return dx;
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

    forward(x, mode) {
      const { value } = this, z = x.values;
      return P.fill(this.output(x, mode), (i) => value(z[i]));
    }

    backward(dy) {
      const { slope } = this, z = this.x.values, y = this.y.values, dx = this.inputGradient();
      for (let i = 0; i < z.length; i++) dx.values[i] = dy.values[i] * slope(z[i], y[i]);
      return dx;
    }
  };

  // Fixup's scalar bias: one number, added to everything.
  P.ScalarBias = class extends P.Layer {
    parameters = { bias: P.parameter(1, 1) };

    forward(x, mode) {
      const [bias] = this.parameters.bias.value.values;
      return P.fill(this.output(x, mode), (i) => x.values[i] + bias);
    }

    backward(dy) {
      this.parameters.bias.gradient.values[0] = P.sum(dy, (value) => value);
      return dy;
    }
  };

  // Fixup's scalar multiplier.
  P.ScalarScale = class extends P.Layer {
    parameters = { scale: P.parameter(1, 1, 1) };

    forward(x, mode) {
      const [scale] = this.parameters.scale.value.values;
      return P.fill(this.output(x, mode), (i) => scale * x.values[i]);
    }

    backward(dy) {
      const { value: { values: [scale] }, gradient } = this.parameters.scale;
      gradient.values[0] = P.sum(dy, (value, i) => value * this.x.values[i]);
      return P.fill(this.inputGradient(), (i) => scale * dy.values[i]);
    }
  };
});
