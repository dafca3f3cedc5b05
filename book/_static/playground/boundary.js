// The decision boundary of flat data: the probability of class 1 on a grid, painted from the top left.
Playground.addPiece((P) => {
  "use strict";

  const SIZE = 28; // points along a side
  const SHARE = 4; // painted again after this many times what the last painting took

  P.BoundaryPicture = class {
    constructor(x) {
      const high = 1.1 * x.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      this.picture = { size: SIZE, low: -high, high, probability: new Float32Array(SIZE * SIZE) };
      this.grid = P.matrix(SIZE * SIZE, 2);
      const at = (i) => -high + (2 * high * i) / (SIZE - 1);
      for (let i = 0; i < SIZE * SIZE; i++) {
        this.grid.values[2 * i] = at(i % SIZE);
        this.grid.values[2 * i + 1] = -at(Math.floor(i / SIZE)); // the first row is the highest
      }
      this.nextAt = 0;
    }

    paint(fresh, evaluate) {
      const start = performance.now();
      if (!fresh && start < this.nextAt) return this.picture;
      evaluate(this.grid, ([one, other], i) => {
        this.picture.probability[i] = 1 / (1 + Math.exp(one - other));
      });
      const end = performance.now();
      this.nextAt = end + SHARE * (end - start);
      return this.picture;
    }
  };
});
