// Initializers: how the first weights are drawn. A weight has a row for each input and a column for each output,
// so `rows` is fan_in and `columns` is fan_out.
Playground.addPiece((P) => {
  "use strict";

  const draw = (weight, random, variance) => P.fill(weight, () => Math.sqrt(variance) * random.normal());

  P.initializers = {
    zeros: (weight) => P.fill(weight, () => 0),
    constant: (weight, random, std) => P.fill(weight, () => std), // the slider's number, here the value
    normal: (weight, random, std) => draw(weight, random, std ** 2),
    lecun: (weight, random) => draw(weight, random, 1 / weight.rows),
    glorot: (weight, random) => draw(weight, random, 2 / (weight.rows + weight.columns)),
    he: (weight, random) => draw(weight, random, 2 / weight.rows),
    orthogonal,
    lsuv: orthogonal, // then rescaled, see below
    fixup: (weight, random) => P.initializers.he(weight, random), // then scaled by depth, see below
  };

  // Orthonormal columns; rows where there are fewer of those (Saxe et al. 2013).
  function orthogonal(weight, random) {
    const { rows, columns } = weight;
    const vectors = P.orthonormal(Math.min(rows, columns), Math.max(rows, columns), random);
    P.fill(weight, (i) => {
      const row = Math.floor(i / columns), column = i % columns;
      return rows >= columns ? vectors[column][row] : vectors[row][column];
    });
  }

  // Draw all weights; biases, scales and shifts keep the 0, 1 and 0 that they are made with.
  P.initialize = (network, { initializer, std }, random, x) => {
    for (const layer of P.layersOf(network, P.Linear)) {
      P.initializers[initializer](layer.parameters.weight.value, random, std);
    }
    if (initializer === "lsuv") P.rescale(network, x);
    if (initializer === "fixup") P.scaleByDepth(network);
  };

  // LSUV (Mishkin and Matas 2016): the batch x passes through the network once, and each linear layer is scaled to
  // outputs of variance 1 before they go on. With biases of 0, one division does it. A variance that is within 2 %
  // already, zero or not finite leaves the weight as it was.
  P.rescale = (network, x) => {
    const layers = P.layersOf(network, P.Linear);
    for (const layer of layers) {
      layer.forward = (input, mode) => {
        const forward = P.Linear.prototype.forward.bind(layer, input, mode);
        const std = spread(forward());
        if (std > 0 && std < Infinity && Math.abs(std ** 2 - 1) >= 0.02) multiply(layer.parameters.weight, 1 / std);
        return forward();
      };
    }
    network.forward(x, "measure");
    for (const layer of layers) delete layer.forward; // what the class defines is back
  };

  // The standard deviation; 0 where it is only the rounding of a constant.
  function spread({ values }) {
    const mean = P.sum(values) / values.length, deviations = values.map((value) => value - mean);
    const std = Math.sqrt(P.dot(deviations, deviations) / values.length);
    return std <= 16 * 2 ** -23 * Math.abs(mean) ? 0 : std;
  }

  // Fixup (Zhang, Dauphin and Ma 2019), for L branches with m weights: the last weight of each branch and the
  // classifier are 0, the others are scaled by L^(-1/(2m-2)), the scalars learn at a tenth of the rate.
  P.scaleByDepth = (network) => {
    const branches = P.layersOf(network, P.Residual);
    for (const branch of branches) {
      const weights = P.layersOf(branch, P.Linear).map((layer) => layer.parameters.weight);
      const scale = branches.length ** (-1 / (2 * weights.length - 2));
      weights.forEach((weight, i) => multiply(weight, i < weights.length - 1 ? scale : 0));
    }
    multiply(P.layersOf(network, P.Linear).at(-1).parameters.weight, 0);
    for (const { parameters } of P.layersOf(network, P.Scalar)) Object.values(parameters)[0].rateScale = 0.1;
  };

  function multiply({ value }, factor) {
    P.fill(value, (i) => factor * value.values[i]);
  }
});
