// What the networks learn: two flat problems drawn from a seed, and the book's real digits.
Playground.addPiece((P) => {
  "use strict";

  const FLAT = { train: 400, all: 600 };
  const DIGITS = { train: 1077, pixels: 64 }; // the split of netinit.load_digits
  const NOISE = 0.04;

  // Each returns the radius and the angle of a point of that class, 0 or 1.
  const SHAPES = {
    spirals: (label, random) => {
      const radius = random.uniform();
      return [radius, 2 * Math.PI * (1.5 * radius + label / 2)];
    },
    circles: (label, random) => [label ? 1 : 0.5, 2 * Math.PI * random.uniform()],
  };

  function flat(shape, seed) {
    const random = P.random(seed, 0), labels = Uint8Array.from({ length: FLAT.all }, (_, i) => i % 2);
    const x = P.matrix(FLAT.all, 2);
    labels.forEach((label, i) => {
      const [radius, angle] = shape(label, random);
      x.values[2 * i] = radius * Math.cos(angle) + NOISE * random.normal();
      x.values[2 * i + 1] = radius * Math.sin(angle) + NOISE * random.normal();
    });
    return { x, labels, train: FLAT.train, classes: 2 };
  }

  // A line of digits.js is one image: its label, then a letter for each pixel, a for 0 to q for 16.
  function digits() {
    const lines = P.digitLines.trim().split("\n"), { train, pixels } = DIGITS;
    const gray = (i) => lines[Math.floor(i / pixels)].charCodeAt(1 + (i % pixels)) - "a".charCodeAt();
    const x = P.fill(P.matrix(lines.length, pixels), gray);
    return { x, labels: Uint8Array.from(lines, (line) => Number(line[0])), train, classes: 10 };
  }

  // As netinit: the mean of each input removed, one scale for all, both those of the training split. Then the
  // mean square of an input is 1, as the initializers assume.
  function standardize({ rows, columns, values }, train) {
    const means = new Float64Array(columns);
    for (let i = 0; i < train * columns; i++) means[i % columns] += values[i] / train;
    let square = 0;
    for (let i = 0; i < train * columns; i++) square += (values[i] - means[i % columns]) ** 2;
    const std = Math.sqrt(square / (train * columns));
    for (let i = 0; i < rows * columns; i++) values[i] = (values[i] - means[i % columns]) / std;
  }

  P.loadData = (name, seed) => {
    const { x, labels, train, classes } = name === "digits" ? digits() : flat(SHAPES[name], seed);
    standardize(x, train);
    const split = (start, end) => ({ x: P.rowsOf(x, start, end), labels: labels.subarray(start, end) });
    return { train: split(0, train), heldOut: split(train, x.rows), inputs: x.columns, classes };
  };

  // Points on a grid around the examples x, from the top left, row by row: what a network answers there is painted.
  P.gridAround = (x) => {
    const size = 28, high = 1.1 * x.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const at = (i) => high * ((2 * i) / (size - 1) - 1);
    const points = Array.from({ length: size ** 2 }, (_, i) => [at(i % size), -at(Math.floor(i / size))]).flat();
    return { size, low: -high, high, x: P.fill(P.matrix(size ** 2, 2), (i) => points[i]) };
  };
});
