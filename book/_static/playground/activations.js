// Activation functions, each with its slope; from the output y where that is cheapest. The limits are those
// that a unit can saturate at.
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

  P.activations = {
    relu: { value: (z) => Math.max(z, 0), slope: (z, y) => (y === 0 ? 0 : 1) }, // Math.max lets NaN through
    tanh: { value: Math.tanh, slope: (z, y) => 1 - y * y, limits: [-1, 1] },
    sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (z, y) => y * (1 - y), limits: [0, 1] },
    gelu: {
      value: (z) => z * normalCdf(z),
      slope: (z) => normalCdf(z) + (z * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI),
    },
    linear: { value: (z) => z, slope: () => 1 },
  };
});
