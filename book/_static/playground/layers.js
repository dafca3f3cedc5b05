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
      const { columns } = weight.value;
      const y = this.output(mode, x.rows, columns);
      P.multiply(y, x, weight.value);
      if (bias) for (let i = 0; i < y.values.length; i++) y.values[i] += bias.value.values[i % columns];
      if (mode !== "evaluate") this.x = x;
      return y;
    }

    backward(dy) {
      const { weight, bias } = this.parameters;
      P.multiply(weight.gradient, this.x, dy, "a");
      if (bias) {
        bias.gradient.values.fill(0);
        for (let i = 0; i < dy.values.length; i++) bias.gradient.values[i % dy.columns] += dy.values[i];
      }
      const dx = this.inputGradient(this.x.rows, this.x.columns);
      P.multiply(dx, dy, weight.value, "b");
      return dx;
    }
  };

  P.Activation = class extends P.Layer {
    constructor(name) {
      super();
      Object.assign(this, P.activations[name]);
    }

    forward(x, mode) {
      const y = this.output(mode, x.rows, x.columns);
      for (let i = 0; i < y.values.length; i++) y.values[i] = this.value(x.values[i]);
      if (mode !== "evaluate") this.x = x;
      return y;
    }

    backward(dy) {
      const dx = this.inputGradient(dy.rows, dy.columns);
      for (let i = 0; i < dx.values.length; i++) {
        dx.values[i] = dy.values[i] * this.slope(this.x.values[i], this.y.values[i]);
      }
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
      this.parameters.bias.gradient.values[0] = dy.values.reduce((sum, value) => sum + value, 0);
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
      gradient.values[0] = dy.values.reduce((sum, each, i) => sum + each * this.x.values[i], 0);
      const dx = this.inputGradient(dy.rows, dy.columns);
      for (let i = 0; i < dx.values.length; i++) dx.values[i] = value.values[0] * dy.values[i];
      return dx;
    }
  };
});
