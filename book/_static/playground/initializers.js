// Initializers: how the first weights are drawn. A weight has a row for each input and a column for each output,
// so `rows` is fan_in and `columns` is fan_out.
Playground.addPiece((P) => {
  "use strict";

  const draw = ({ values }, random, variance) => {
    const std = Math.sqrt(variance);
    for (let i = 0; i < values.length; i++) values[i] = std * random.normal();
  };

  P.initializers = {
    zeros: (weight) => weight.values.fill(0),
    constant: (weight, random, std) => weight.values.fill(std), // the slider's number, here the value
    normal: (weight, random, std) => draw(weight, random, std ** 2),
    lecun: (weight, random) => draw(weight, random, 1 / weight.rows),
    glorot: (weight, random) => draw(weight, random, 2 / (weight.rows + weight.columns)),
    he: (weight, random) => draw(weight, random, 2 / weight.rows),
    orthogonal,
    lsuv: orthogonal, // then rescaled, see below
    fixup: (weight, random) => P.initializers.he(weight, random), // then scaled by depth, see below
  };

  // Orthonormal columns; rows where there are fewer of those (Saxe et al. 2013).
  function orthogonal({ rows, columns, values }, random) {
    const vectors = P.orthonormal(Math.min(rows, columns), Math.max(rows, columns), random);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        values[row * columns + column] = rows >= columns ? vectors[column][row] : vectors[row][column];
      }
    }
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
        const std = spread(forward().values);
        if (std > 0 && std < Infinity && Math.abs(std ** 2 - 1) >= 0.02) multiply(layer.parameters.weight, 1 / std);
        return forward();
      };
    }
    network.forward(x, "measure");
    for (const layer of layers) delete layer.forward; // what the class defines is back
  };

  // The standard deviation; 0 where it is only the rounding of a constant.
  function spread(values) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    const rounding = 16 * 2 ** -23 * Math.abs(mean);
    return std <= rounding ? 0 : std;
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
    const scalars = [...P.layersOf(network, P.ScalarBias), ...P.layersOf(network, P.ScalarScale)];
    for (const layer of scalars) for (const scalar of Object.values(layer.parameters)) scalar.rateScale = 0.1;
  };

  function multiply({ value: { values } }, factor) {
    for (let i = 0; i < values.length; i++) values[i] *= factor;
  }
});
