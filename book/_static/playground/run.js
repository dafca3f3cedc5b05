// A run: one network that one optimizer trains on one data set, and what there is to see of it.
Playground.addPiece((P) => {
  "use strict";

  const LSUV_BATCH = 256;
  const ACCURACY_EVERY = 20; // steps: the held-out digits cost as much as two or three of them
  const RECENT = 10; // steps whose mean is the running loss
  const MOST_POINTS = 300;
  const PAUSE = 4; // while it plays, a boundary is painted again after this many times what the last painting took

  class Run {
    constructor(config) {
      this.config = config;
      this.data = P.loadData(config.data, config.seed);
      const { train, inputs, classes } = this.data;
      this.network = P.buildNetwork(config, inputs, classes);
      const sample = P.rowsOf(train.x, 0, Math.min(LSUV_BATCH, train.x.rows));
      P.initialize(this.network, config, P.random(config.seed, 1), sample);
      const parameters = P.namedParameters(this.network).map(([, parameter]) => parameter);
      this.update = P.optimizer(parameters, config.optimizer, config.lr);
      this.order = P.random(config.seed, 2);
      this.waiting = []; // what is left of the epoch
      this.grid = config.data === "digits" ? null : P.gridAround(train.x);
      this.start();
    }

    // One pass before the first step, so that there is something to see.
    start() {
      this.steps = 0;
      this.history = { step: [], loss: [], accuracy: [] };
      this.every = 1;
      this.loss = this.pass(Array.from({ length: this.config.batch }, (_, i) => i), "measure");
      this.recent = [];
      this.overflowAt = Number.isFinite(this.loss) ? null : 0;
      this.measureAccuracy();
      this.record();
    }

    // Forward, loss, backward; every gradient is then in place.
    pass(indices, mode) {
      const { x, labels } = this.data.train;
      const logits = this.network.forward(P.pickRows(x, indices), mode);
      const { loss, gradient } = P.crossEntropy(logits, indices.map((index) => labels[index]));
      this.network.backward(gradient);
      return loss;
    }

    // A loss that is not finite ends the run, and stays to be seen.
    step() {
      if (this.overflowAt !== null) return;
      const loss = this.pass(this.nextBatch(), "train");
      if (!Number.isFinite(loss)) {
        this.loss = loss;
        this.overflowAt = this.steps;
        return;
      }
      this.update();
      this.steps++;
      this.recent = [...this.recent.slice(1 - RECENT), loss];
      this.loss = this.recent.reduce((sum, each) => sum + each) / this.recent.length;
      if (this.steps % this.every === 0) this.record();
    }

    // Examples that fill no batch wait for another epoch: every step is then as long, and no batch is one example.
    nextBatch() {
      const { batch } = this.config;
      if (this.waiting.length < batch) this.waiting = this.order.permutation(this.data.train.x.rows);
      return this.waiting.splice(0, batch);
    }

    // Where the curves have too many points, every second one goes, and from then on only every second step is added.
    // So they depend on the steps alone, not on the speed of the machine.
    record() {
      if (this.steps - this.accuracyAt >= ACCURACY_EVERY) this.measureAccuracy();
      this.history.step.push(this.steps);
      this.history.loss.push(this.loss);
      this.history.accuracy.push(this.accuracy);
      if (this.history.step.length <= MOST_POINTS) return;
      for (const key in this.history) this.history[key] = this.history[key].filter((_, i) => i % 2 === 0);
      this.every *= 2;
    }

    measureAccuracy() {
      const { x, labels } = this.data.heldOut, answers = this.network.forward(x, "evaluate");
      // A row with NaN has no largest logit: it counts as wrong.
      const isRight = (label, i) => {
        const logits = P.rowsOf(answers, i, i + 1).values;
        return logits.every(Number.isFinite) && logits.indexOf(Math.max(...logits)) === label;
      };
      this.accuracy = labels.filter(isRight).length / labels.length;
      this.accuracyAt = this.steps;
    }

    // The probability of class 1 on the grid.
    boundary(fresh) {
      const start = performance.now(), { size, low, high, x } = this.grid;
      if (!fresh && start < this.paintAt) return this.picture;
      const { values } = this.network.forward(x, "evaluate");
      const probability = Float32Array.from({ length: x.rows }, (_, i) => 1 / (1 + Math.exp(values[2 * i] - values[2 * i + 1])));
      const end = performance.now();
      this.paintAt = end + PAUSE * (end - start);
      return (this.picture = { size, low, high, probability });
    }

    // While it plays, what is costly is taken again only now and then; `fresh` asks for all of it now.
    snapshot(fresh = true) {
      if (fresh && this.accuracyAt !== this.steps) this.measureAccuracy();
      const { steps: step, loss, accuracy, overflowAt, history, network, grid } = this;
      return {
        step, loss, accuracy, overflowAt, history,
        epoch: (step * this.config.batch) / this.data.train.x.rows,
        layers: P.measureParts(network),
        boundary: grid && this.boundary(fresh),
        firstLayer: grid ? null : P.measureFirstLayer(network),
      };
    }
  }

  P.createRun = (config) => {
    P.check(config);
    return new Run(config);
  };
});
