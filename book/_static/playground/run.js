// A run: one network that one optimizer trains on one data set, and what there is to see of it.
Playground.addPiece((P) => {
  "use strict";

  const SLICE = 100; // examples that are evaluated at a time
  const LSUV_BATCH = 256;
  const ACCURACY_EVERY = 20; // steps: the held-out digits cost as much as two or three of them
  const RECENT = 10; // steps whose mean is the running loss

  class Run {
    constructor(config) {
      this.config = config;
      this.data = P.loadData(config.data, config.seed);
      this.network = P.buildNetwork(config, this.data.inputs, this.data.classes);
      this.examples = this.data.train.x.rows;
      const sample = P.rowsOf(this.data.train.x, 0, Math.min(LSUV_BATCH, this.examples));
      P.initialize(this.network, config, P.random(config.seed, 1), sample);
      const parameters = P.namedParameters(this.network).map(([, parameter]) => parameter);
      this.update = P.optimizer(parameters, config.optimizer, config.lr);
      this.order = P.random(config.seed, 2);
      this.waiting = []; // what is left of the epoch
      this.start();
    }

    // One pass before the first step, so that there is something to see.
    start() {
      this.steps = 0;
      this.overflowAt = null;
      this.history = new P.History();
      this.loss = this.pass(Array.from({ length: this.config.batch }, (_, i) => i), "measure");
      this.recent = [];
      if (!Number.isFinite(this.loss)) this.overflowAt = 0;
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
      this.record();
    }

    // Examples that fill no batch wait for another epoch: every step is then as long, and no batch is one example.
    nextBatch() {
      if (this.waiting.length < this.config.batch) this.waiting = this.order.permutation(this.examples);
      return this.waiting.splice(0, this.config.batch);
    }

    record() {
      if (!this.history.wants(this.steps)) return;
      if (this.accuracyAt === undefined || this.steps - this.accuracyAt >= ACCURACY_EVERY) this.measureAccuracy();
      this.history.add(this.steps, this.loss, this.accuracy);
    }

    measureAccuracy() {
      const { x, labels } = this.data.heldOut;
      let correct = 0;
      this.evaluate(x, (logits, i) => {
        // A row with NaN has no largest logit: it counts as wrong.
        if (logits.every(Number.isFinite) && logits.indexOf(Math.max(...logits)) === labels[i]) correct++;
      });
      this.accuracy = correct / labels.length;
      this.accuracyAt = this.steps;
    }

    // Calls `use(logits, i)` for each row of x.
    evaluate(x, use) {
      for (let start = 0; start < x.rows; start += SLICE) {
        const end = Math.min(start + SLICE, x.rows);
        const { columns, values } = this.network.forward(P.rowsOf(x, start, end), "evaluate");
        for (let i = start; i < end; i++) use(values.subarray((i - start) * columns, (i - start + 1) * columns), i);
      }
    }

    // While it plays, what is costly is taken again only now and then; `fresh` asks for all of it now.
    snapshot(fresh = true) {
      if (fresh && this.accuracyAt !== this.steps) this.measureAccuracy();
      return {
        step: this.steps,
        epoch: (this.steps * this.config.batch) / this.examples,
        history: this.history.points,
        loss: this.loss,
        accuracy: this.accuracy,
        overflowAt: this.overflowAt,
        layers: P.measureParts(this.network),
        boundary: this.config.data === "digits" ? null : this.boundary(fresh),
        firstLayer: this.config.data === "digits" ? P.measureFirstLayer(this.network) : null,
        stepsPerSecond: 0, // the worker knows
      };
    }

    boundary(fresh) {
      if (!this.picture) this.picture = new P.BoundaryPicture(this.data.train.x);
      return this.picture.paint(fresh, (x, use) => this.evaluate(x, use));
    }
  }

  P.createRun = (config) => {
    P.check(config);
    return new Run(config);
  };
});
