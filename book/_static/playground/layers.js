// Layers: how a batch goes forward, and how the gradient of the loss comes back. A row is an example.
//
// `forward(x, mode)` returns y. In the mode "train" batch normalization also moves its running statistics; in
// "measure" it does not; in "evaluate" it uses them. `backward(dy)` takes dLoss/dy of the last batch that was
// not evaluated, writes the gradient of every parameter and returns dLoss/dx.
Playground.addPiece((P) => {
  "use strict";

  P.parameter = (rows, columns, start = 0) => {
    const value = P.matrix(rows, columns);
    value.values.fill(start);
    return { value, gradient: P.matrix(rows, columns), rateScale: 1, movedSquare: 0 };
  };

  // What all layers share: a place for each result. Evaluation has its own, so that it leaves what the backward
  // pass needs, and what the pictures show, as the last training batch left it.
  P.Layer = class {
    parameters = {};
    children = [];

    output(mode, rows, columns) {
      if (mode === "evaluate") return (this.evaluated = P.room(this.evaluated, rows, columns));
      return (this.y = P.room(this.y, rows, columns));
    }

    inputGradient(rows, columns) {
      return (this.dx = P.room(this.dx, rows, columns));
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
      const y = this.output(mode, x.rows, weight.value.columns);
      P.multiply(y, x, weight.value);
      if (bias) addToRows(y, bias.value.values);
      if (mode !== "evaluate") this.x = x;
      return y;
    }

    backward(dy) {
      const { weight, bias } = this.parameters;
      P.multiply(weight.gradient, this.x, dy, "a");
      if (bias) sumOfRows(bias.gradient.values, dy);
      const dx = this.inputGradient(this.x.rows, this.x.columns);
      P.multiply(dx, dy, weight.value, "b");
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
      const { value } = this;
      const y = this.output(mode, x.rows, x.columns), from = x.values, to = y.values;
      for (let i = 0; i < to.length; i++) to[i] = value(from[i]);
      if (mode !== "evaluate") this.x = x;
      return y;
    }

    backward(dy) {
      const { slope, x: { values: z }, y: { values: y } } = this;
      const dx = this.inputGradient(dy.rows, dy.columns), from = dy.values, to = dx.values;
      for (let i = 0; i < to.length; i++) to[i] = from[i] * slope(z[i], y[i]);
      return dx;
    }
  };

  // Fixup's scalar bias: one number, added to everything.
  P.ScalarBias = class extends P.Layer {
    parameters = { bias: P.parameter(1, 1) };

    forward(x, mode) {
      const y = this.output(mode, x.rows, x.columns);
      const bias = this.parameters.bias.value.values[0];
      for (let i = 0; i < y.values.length; i++) y.values[i] = x.values[i] + bias;
      return y;
    }

    backward(dy) {
      let sum = 0;
      for (let i = 0; i < dy.values.length; i++) sum += dy.values[i];
      this.parameters.bias.gradient.values[0] = sum;
      return dy;
    }
  };

  // Fixup's scalar multiplier.
  P.ScalarScale = class extends P.Layer {
    parameters = { scale: P.parameter(1, 1, 1) };

    forward(x, mode) {
      const y = this.output(mode, x.rows, x.columns);
      const scale = this.parameters.scale.value.values[0];
      for (let i = 0; i < y.values.length; i++) y.values[i] = scale * x.values[i];
      if (mode !== "evaluate") this.x = x;
      return y;
    }

    backward(dy) {
      const { value, gradient } = this.parameters.scale;
      const dx = this.inputGradient(dy.rows, dy.columns);
      let sum = 0;
      for (let i = 0; i < dx.values.length; i++) {
        sum += dy.values[i] * this.x.values[i];
        dx.values[i] = value.values[0] * dy.values[i];
      }
      gradient.values[0] = sum;
      return dx;
    }
  };
});
