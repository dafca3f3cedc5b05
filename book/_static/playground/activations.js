// Activation functions, each with its slope; from the output y where that is cheapest. The limits are those
// that a unit can saturate at. Each has loops of its own: one for all would call a function for every number.
Playground.addPiece((P) => {
  "use strict";

  // 1 - erf(x), to 1.2e-7 relative: the rational approximation of Press et al., Numerical Recipes, section 6.2.
  const COEFFICIENTS = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806,
    0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
  ];
  function erfc(x) {
    const t = 1 / (1 + 0.5 * Math.abs(x));
    let polynomial = 0;
    for (let i = COEFFICIENTS.length - 1; i >= 0; i--) polynomial = COEFFICIENTS[i] + t * polynomial;
    const tail = t * Math.exp(polynomial - x * x);
    return x >= 0 ? tail : 2 - tail;
  }
  const normalCdf = (z) => 0.5 * erfc(-z / Math.SQRT2);
  const normalDensity = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

  P.activations = {
    relu: {
      fill(y, z) { for (let i = 0; i < z.length; i++) y[i] = Math.max(z[i], 0); }, // it lets NaN through
      fillSlope(slope, z, y) { for (let i = 0; i < z.length; i++) slope[i] = y[i] === 0 ? 0 : 1; },
    },
    tanh: {
      fill(y, z) { for (let i = 0; i < z.length; i++) y[i] = Math.tanh(z[i]); },
      fillSlope(slope, z, y) { for (let i = 0; i < z.length; i++) slope[i] = 1 - y[i] * y[i]; },
      limits: [-1, 1],
    },
    sigmoid: {
      fill(y, z) { for (let i = 0; i < z.length; i++) y[i] = 1 / (1 + Math.exp(-z[i])); },
      fillSlope(slope, z, y) { for (let i = 0; i < z.length; i++) slope[i] = y[i] * (1 - y[i]); },
      limits: [0, 1],
    },
    gelu: {
      fill(y, z) { for (let i = 0; i < z.length; i++) y[i] = z[i] * normalCdf(z[i]); },
      fillSlope(slope, z) { for (let i = 0; i < z.length; i++) slope[i] = normalCdf(z[i]) + z[i] * normalDensity(z[i]); },
    },
    linear: {
      fill(y, z) { y.set(z); },
      fillSlope(slope) { slope.fill(1); },
    },
  };
});
