// Optimizers: from gradients to steps. A rule has a memory for each number of a parameter. Given the gradient and which
// step it is, counted from 1, it returns the direction; the step is the rate times that.
Playground.addPiece((P) => {
  "use strict";

  P.rules = {
    sgd: () => (gradient) => gradient,

    momentum: (size) => {
      const velocity = new Float32Array(size);
      return (gradient) => {
        for (let i = 0; i < size; i++) velocity[i] = 0.9 * velocity[i] + gradient[i];
        return velocity;
      };
    },

    // Kingma and Ba 2015: running means of g and of g², each divided by what it lacks after its start at 0.
    adam: (size) => {
      const [mean, square, direction] = [1, 2, 3].map(() => new Float32Array(size));
      return (gradient, step) => {
        const meanShare = 1 - 0.9 ** step, squareShare = 1 - 0.999 ** step;
        for (let i = 0; i < size; i++) {
          mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
          square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
          direction[i] = mean[i] / meanShare / (Math.sqrt(square[i] / squareShare) + 1e-8);
        }
        return direction;
      };
    },
  };

  P.optimizer = (parameters, name, rate) => {
    const rules = parameters.map(({ value }) => P.rules[name](value.values.length));
    let steps = 0;
    return () => {
      steps++;
      parameters.forEach((each, k) => move(each, rules[k](each.gradient.values, steps), rate * each.rateScale));
    };
  };

  // The sum of the squared steps is what the update-to-weight ratio is made of.
  function move(parameter, direction, rate) {
    const { values } = parameter.value;
    for (let i = 0; i < values.length; i++) values[i] -= rate * direction[i];
    parameter.movedSquare = rate ** 2 * P.dot(direction, direction);
  }
});
