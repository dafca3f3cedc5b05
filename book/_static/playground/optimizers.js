// Optimizers: from gradients to steps. A rule has a memory for each number of a parameter. Told which step it is,
// counted from 1, it gives the direction for the gradient g of number i; the step is the rate times that.
Playground.addPiece((P) => {
  "use strict";

  P.rules = {
    sgd: () => () => (g) => g,

    momentum: (size) => {
      const velocity = new Float32Array(size);
      return () => (g, i) => (velocity[i] = 0.9 * velocity[i] + g);
    },

    // Kingma and Ba 2015: running means of g and of g², each divided by what it lacks after its start at 0.
    adam: (size) => {
      const mean = new Float32Array(size), square = new Float32Array(size);
      return (step) => {
        const meanShare = 1 - 0.9 ** step, squareShare = 1 - 0.999 ** step;
        return (g, i) => {
          mean[i] = 0.9 * mean[i] + 0.1 * g;
          square[i] = 0.999 * square[i] + 0.001 * g * g;
          return mean[i] / meanShare / (Math.sqrt(square[i] / squareShare) + 1e-8);
        };
      };
    },
  };

  P.optimizer = (parameters, name, rate) => {
    const rules = parameters.map(({ value }) => P.rules[name](value.values.length));
    let steps = 0;
    return () => {
      steps++;
      parameters.forEach((parameter, k) => move(parameter, rules[k](steps), rate * parameter.rateScale));
    };
  };

  // The sum of the squared steps is what the update-to-weight ratio is made of.
  function move(parameter, direction, rate) {
    const { values } = parameter.value, gradient = parameter.gradient.values;
    let movedSquare = 0;
    for (let i = 0; i < values.length; i++) {
      const step = rate * direction(gradient[i], i);
      values[i] -= step;
      movedSquare += step * step;
    }
    parameter.movedSquare = movedSquare;
  }
});
