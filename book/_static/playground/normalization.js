// Normalization: mean 0 and variance 1, then a scale and a shift that are learned. Batch normalization takes
// them over the examples, for each unit; layer normalization over the units, for each example. A group is the
// numbers that share a mean: a column or a row.
Playground.addPiece((P) => {
  "use strict";

  const EPSILON = 1e-5; // the values of netinit, and of PyTorch
  const MOMENTUM = 0.1;

  class Normalization extends P.Layer {
    constructor(units) {
      super();
      this.parameters = { scale: P.parameter(1, units, 1), shift: P.parameter(1, units) };
    }

    forward(x, mode) {
      const y = this.output(mode, x.rows, x.columns);
      const normalized = mode === "evaluate" ? y : (this.normalized = P.room(this.normalized, x.rows, x.columns));
      const { scale, shift } = this.parameters;
      const sigmas = [];
      for (const [group, { start, stride, end }] of this.groups(x).entries()) {
        const [mean, variance] = this.statistics(x, group, { start, stride, end }, mode);
        const sigma = Math.sqrt(variance + EPSILON);
        for (let i = start; i < end; i += stride) normalized.values[i] = (x.values[i] - mean) / sigma;
        sigmas.push(sigma);
      }
      for (let i = 0; i < y.values.length; i++) {
        const unit = i % y.columns;
        y.values[i] = scale.value.values[unit] * normalized.values[i] + shift.value.values[unit];
      }
      if (mode !== "evaluate") this.sigmas = sigmas;
      return y;
    }

    // With xhat for the normalized values and g for dLoss/dxhat: dx = (g - mean(g) - xhat mean(g xhat)) / sigma.
    backward(dy) {
      this.learn(dy);
      const xhat = this.normalized.values, scale = this.parameters.scale.value.values;
      const dx = this.inputGradient(dy.rows, dy.columns);
      const g = (i) => dy.values[i] * scale[i % dy.columns];
      for (const [group, { start, stride, end }] of this.groups(dy).entries()) {
        const count = (end - start) / stride;
        let mean = 0, along = 0;
        for (let i = start; i < end; i += stride) {
          mean += g(i) / count;
          along += (g(i) * xhat[i]) / count;
        }
        for (let i = start; i < end; i += stride) dx.values[i] = (g(i) - mean - xhat[i] * along) / this.sigmas[group];
      }
      return dx;
    }

    learn(dy) {
      const { scale, shift } = this.parameters;
      scale.gradient.values.fill(0);
      shift.gradient.values.fill(0);
      for (let i = 0; i < dy.values.length; i++) {
        scale.gradient.values[i % dy.columns] += dy.values[i] * this.normalized.values[i];
        shift.gradient.values[i % dy.columns] += dy.values[i];
      }
    }
  }

  function measure({ values }, { start, stride, end }) {
    const count = (end - start) / stride;
    let mean = 0, variance = 0;
    for (let i = start; i < end; i += stride) mean += values[i] / count;
    for (let i = start; i < end; i += stride) variance += (values[i] - mean) ** 2 / count;
    return [mean, variance];
  }

  P.BatchNorm = class extends Normalization {
    constructor(units) {
      super(units);
      this.running = Array.from({ length: units }, () => [0, 1]); // mean and variance
    }

    groups({ rows, columns }) {
      const end = (column) => column + rows * columns;
      return Array.from({ length: columns }, (_, column) => ({ start: column, stride: columns, end: end(column) }));
    }

    statistics(x, column, group, mode) {
      if (mode === "evaluate") return this.running[column];
      const [mean, variance] = measure(x, group);
      if (mode === "train") {
        const unbiased = (variance * x.rows) / (x.rows - 1);
        const [oldMean, oldVariance] = this.running[column];
        this.running[column] = [oldMean + MOMENTUM * (mean - oldMean), oldVariance + MOMENTUM * (unbiased - oldVariance)];
      }
      return [mean, variance];
    }
  };

  P.LayerNorm = class extends Normalization {
    groups({ rows, columns }) {
      return Array.from({ length: rows }, (_, row) => ({ start: row * columns, stride: 1, end: (row + 1) * columns }));
    }

    statistics(x, row, group) {
      return measure(x, group);
    }
  };
});
