// What the pictures show of a network: taken from the last training batch, as the layers have kept it.
Playground.addPiece((P) => {
  "use strict";

  const BINS = 31;
  const FLAT = 1e-3; // a slope below this passes no gradient that counts, as in netinit.trace
  const NEAR = 0.01; // of the range between the limits of an activation
  const IMAGES = 16;

  P.measureParts = (network) => network.parts.map(({ name, layers }) => {
    const last = layers.at(-1);
    const own = (kind) => layers.flatMap((layer) => P.layersOf(layer, kind));
    return {
      name,
      histogram: histogram(last.y.values),
      rms: rms(last.y),
      gradientRms: rms(last.dy),
      dead: mean(own(P.Activation).map(dead)),
      saturated: mean(own(P.Activation).filter(({ limits }) => limits).map(saturated)),
      updateRatio: updateRatio(own(P.Linear).map((layer) => layer.parameters.weight)),
    };
  });

  const sumOfSquares = ({ values }) => P.dot(values, values);
  const rms = (matrix) => Math.sqrt(sumOfSquares(matrix) / matrix.values.length);
  const mean = (numbers) => (numbers.length ? numbers.reduce((sum, number) => sum + number / numbers.length, 0) : null);

  // Where a value is infinite or not a number, there are no bins: the limits and the rms tell of it.
  function histogram(values) {
    const counts = new Array(BINS).fill(0);
    let least = Infinity, most = -Infinity;
    for (let i = 0; i < values.length; i++) {
      least = Math.min(least, values[i]);
      most = Math.max(most, values[i]);
    }
    if (!Number.isFinite(most - least)) return { low: least, high: most, counts };
    const margin = least < most ? 0 : Math.abs(least) / 2 || 0.5; // a constant stands in the middle
    const low = least - margin, high = most + margin, scale = BINS / (high - low);
    for (let i = 0; i < values.length; i++) counts[Math.min(BINS - 1, Math.floor((values[i] - low) * scale))]++;
    return { low, high, counts };
  }

  // The share of units whose slope is flat on the whole batch: no gradient passes them.
  function dead({ x, y, fillSlope }) {
    const slopes = new Float32Array(y.values.length), alive = new Set();
    fillSlope(slopes, x.values, y.values);
    for (let i = 0; i < slopes.length; i++) if (!(Math.abs(slopes[i]) < FLAT)) alive.add(i % y.columns);
    return 1 - alive.size / y.columns;
  }

  function saturated({ limits: [low, high], y: { values } }) {
    const margin = NEAR * (high - low);
    return values.filter((value) => value < low + margin || value > high - margin).length / values.length;
  }

  // The size of the last step relative to the weights; null before the first, and for weights that are all 0.
  function updateRatio(weights) {
    const moved = weights.reduce((sum, weight) => sum + weight.movedSquare, 0);
    const size = weights.reduce((sum, weight) => sum + sumOfSquares(weight.value), 0);
    return moved > 0 && size > 0 ? Math.sqrt(moved / size) : null;
  }

  // The first units of the first layer as images: a weight for each pixel.
  P.measureFirstLayer = (network) => {
    const [{ parameters }] = P.layersOf(network, P.Linear);
    const { rows, columns, values } = parameters.weight.value;
    const image = (unit) => Float32Array.from({ length: rows }, (_, pixel) => values[pixel * columns + unit]);
    return Array.from({ length: Math.min(IMAGES, columns) }, (_, unit) => image(unit));
  };
});
