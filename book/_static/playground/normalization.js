// Normalization: mean 0 and variance 1, then a scale and a shift that are learned. Batch normalization takes
// them over the examples, for each unit; layer normalization over the units, for each example. A group is the
// numbers that share a mean: a column or a row.
Playground.addPiece((P) => {
  "use strict";

  const EPSILON = 1e-5; // the values of netinit, and of PyTorch
  const MOMENTUM = 0.1;

  function mean(a, { start, stride, end }) {
    let sum = 0;
    for (let i = start; i < end; i += stride) sum += a[i];
    return (sum * stride) / (end - start);
  }

  function meanProduct(a, b, { start, stride, end }, center = 0) {
    let sum = 0;
    for (let i = start; i < end; i += stride) sum += (a[i] - center) * (b[i] - center);
    return (sum * stride) / (end - start);
  }

  class Normalization extends P.Layer {
    constructor(units) {
      super();
      this.parameters = { scale: P.parameter(1, units, 1), shift: P.parameter(1, units) };
    }

    forward(x, mode) {
      const { scale, shift } = this.parameters, y = this.output(x, mode);
      const xhat = mode === "evaluate" ? y : (this.xhat = P.room(this.xhat, x.rows, x.columns));
      const sigmas = this.groups(x).map((group, k) => {
        const [center, variance] = this.statistics(x, group, k, mode), sigma = Math.sqrt(variance + EPSILON);
        for (let i = group.start; i < group.end; i += group.stride) xhat.values[i] = (x.values[i] - center) / sigma;
        return sigma;
      });
      if (mode !== "evaluate") this.sigmas = sigmas;
      return P.fill(y, (i) => scale.value.values[i % y.columns] * xhat.values[i] + shift.value.values[i % y.columns]);
    }

    // With g for dLoss/dxhat: dx = (g - mean(g) - xhat mean(g xhat)) / sigma.
    backward(dy) {
      const { scale, shift } = this.parameters, dx = this.inputGradient(), xhat = this.xhat.values;
      this.learn(scale.gradient.values, shift.gradient.values, dy);
      this.g = P.room(this.g, dy.rows, dy.columns);
      const g = P.fill(this.g, (i) => dy.values[i] * scale.value.values[i % dy.columns]).values;
      this.groups(dy).forEach((group, k) => {
        const center = mean(g, group), along = meanProduct(g, xhat, group), sigma = this.sigmas[k];
        for (let i = group.start; i < group.end; i += group.stride) {
          dx.values[i] = (g[i] - center - xhat[i] * along) / sigma;
        }
      });
      return dx;
    }

    learn(scaleGradient, shiftGradient, { columns, values }) {
      scaleGradient.fill(0);
      shiftGradient.fill(0);
      for (let i = 0; i < values.length; i++) {
        scaleGradient[i % columns] += values[i] * this.xhat.values[i];
        shiftGradient[i % columns] += values[i];
      }
    }

    statistics({ values }, group) {
      const center = mean(values, group);
      return [center, meanProduct(values, values, group, center)];
    }
  }

  P.LayerNorm = class extends Normalization {
    groups({ rows, columns }) {
      return Array.from({ length: rows }, (_, row) => ({ start: row * columns, stride: 1, end: (row + 1) * columns }));
    }
  };

  P.BatchNorm = class extends Normalization {
    running = Array.from(this.parameters.scale.value.values, () => [0, 1]); // mean and variance of each unit

    groups({ rows, columns }) {
      const end = (column) => column + rows * columns;
      return Array.from({ length: columns }, (_, column) => ({ start: column, stride: columns, end: end(column) }));
    }

    // The running variance is that of a sample, divided by n - 1.
    statistics(x, group, column, mode) {
      if (mode === "evaluate") return this.running[column];
      const [center, variance] = super.statistics(x, group);
      const now = [center, (variance * x.rows) / (x.rows - 1)];
      if (mode === "train") this.running[column] = this.running[column].map((old, k) => old + MOMENTUM * (now[k] - old));
      return [center, variance];
    }
  };
});
