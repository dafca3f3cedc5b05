// Random numbers from a seed: the same link shows the same network to everybody.
Playground.addPiece((P) => {
  "use strict";

  // sfc32 (Doty-Humphrey 2010): four words of state, and it passes the usual batteries of tests. Different
  // streams of one seed serve data, weights and order, so that changing one of them leaves the others alone.
  P.random = (seed, stream) => {
    let a = seed | 0, b = stream | 0, c = 0x9e3779b9, counter = 1;
    const bits = () => {
      const sum = (a + b + counter++) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + sum;
      return sum >>> 0;
    };
    for (let i = 0; i < 15; i++) bits(); // until every bit of the seed has reached every word
    const uniform = () => (bits() + 0.5) / 2 ** 32; // in (0, 1), so that its logarithm is finite
    // Box and Muller (1958): a random direction, and a radius whose square is exponential.
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const permutation = (n) => {
      const order = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    };
    return { uniform, normal, permutation };
  };

  // `count` vectors of the given length, orthonormal, in a direction that nothing prefers: normal draws after
  // Gram and Schmidt. The second pass removes what rounding has left of the first.
  P.orthonormal = (count, length, random) => {
    const vectors = [];
    while (vectors.length < count) {
      const vector = Float64Array.from({ length }, random.normal);
      for (const other of [...vectors, ...vectors]) {
        const along = P.dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] -= along * other[i];
      }
      const norm = Math.sqrt(P.dot(vector, vector));
      vectors.push(vector.map((value) => value / norm));
    }
    return vectors;
  };
});
