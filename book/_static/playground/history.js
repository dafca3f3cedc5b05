// The curves of a run, in at most 300 points: when they are full, every second one goes, and from then on only
// every second step is added. So the points depend on the steps alone, not on the speed of the machine.
Playground.addPiece((P) => {
  "use strict";

  const MOST = 300;

  P.History = class {
    points = { step: [], loss: [], accuracy: [] };
    every = 1;

    wants(step) {
      return step % this.every === 0;
    }

    add(...values) {
      const { points } = this;
      Object.keys(points).forEach((key, i) => points[key].push(values[i]));
      if (points.step.length <= MOST) return;
      for (const key of Object.keys(points)) points[key] = points[key].filter((_, i) => i % 2 === 0);
      this.every *= 2;
    }
  };
});
