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

  P.Normalization = class extends P.Layer {
    constructor(units, overExamples) {
      super();
      this.parameters = { scale: P.parameter(1, units, 1), shift: P.parameter(1, units) };
      if (overExamples) this.running = Array.from({ length: units }, () => [0, 1]); // mean and variance of each unit
    }

    groups({ rows, columns }) {
      const unit = (k) => ({ start: k, stride: columns, end: k + rows * columns });
      const example = (k) => ({ start: k * columns, stride: 1, end: (k + 1) * columns });
      return Array.from({ length: this.running ? columns : rows }, (_, k) => (this.running ? unit(k) : example(k)));
    }

    fillOutput(y, x, mode) {
      const { scale, shift } = this.parameters;
      const xhat = mode === "evaluate" ? y : (this.xhat = P.room(this.xhat, x.rows, x.columns));
      const sigmas = this.groups(x).map((group, k) => {
        const [center, variance] = this.statistics(x, group, k, mode), sigma = Math.sqrt(variance + EPSILON);
        for (let i = group.start; i < group.end; i += group.stride) xhat.values[i] = (x.values[i] - center) / sigma;
        return sigma;
      });
      if (mode !== "evaluate") this.sigmas = sigmas;
      const scales = scale.value.values, shifts = shift.value.values;
      for (let i = 0; i < y.values.length; i++) {
        y.values[i] = scales[i % y.columns] * xhat.values[i] + shifts[i % y.columns];
      }
    }

    // With g for dLoss/dxhat: dx = (g - mean(g) - xhat mean(g xhat)) / sigma. It takes the place of g.
    fillGradient(dx, dy) {
      const { scale, shift } = this.parameters, xhat = this.xhat.values, g = dx.values;
      scale.gradient.values.fill(0);
      shift.gradient.values.fill(0);
      for (let i = 0; i < g.length; i++) {
        const unit = i % dy.columns;
        scale.gradient.values[unit] += dy.values[i] * xhat[i];
        shift.gradient.values[unit] += dy.values[i];
        g[i] = dy.values[i] * scale.value.values[unit];
      }
      this.groups(dy).forEach((group, k) => {
        const center = mean(g, group), along = meanProduct(g, xhat, group);
        for (let i = group.start; i < group.end; i += group.stride) {
          g[i] = (g[i] - center - xhat[i] * along) / this.sigmas[k];
        }
      });
    }

    // The running variance is that of a sample, divided by n - 1.
    statistics({ rows, values }, group, k, mode) {
      if (this.running && mode === "evaluate") return this.running[k];
      const center = mean(values, group), variance = meanProduct(values, values, group, center);
      const now = [center, (variance * rows) / (rows - 1)];
      if (this.running && mode === "train") this.running[k] = this.running[k].map((old, i) => old + MOMENTUM * (now[i] - old));
      return [center, variance];
    }
  };
});
