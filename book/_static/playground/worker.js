// The worker that trains, so that the page stays smooth. It is made from the source of the pieces.
(() => {
  "use strict";

  // Runs inside the worker; P is the engine.
  function serve(P) {
    const SLICE = 60; // milliseconds between two snapshots
    const sides = new Map();
    let timer, began, played;

    const report = (fresh, stepsPerSecond) => {
      for (const [side, run] of sides) postMessage({ side, snapshot: { ...run.snapshot(fresh), stepsPerSecond } });
    };

    // Both sides take the same number of steps.
    const stepAll = () => {
      for (const run of sides.values()) run.step();
    };

    // Messages come in between two slices.
    const play = () => {
      const end = performance.now() + SLICE;
      for (; performance.now() < end; played++) stepAll();
      report(false, (1000 * played) / (performance.now() - began));
      timer = setTimeout(play);
    };

    const actions = {
      build: ({ side, config }) => {
        sides.delete(side);
        try {
          sides.set(side, P.createRun(config));
          postMessage({ side, snapshot: { ...sides.get(side).snapshot(true), stepsPerSecond: 0 } });
        } catch (fault) {
          if (!(fault instanceof RangeError)) throw fault;
          postMessage({ side, refusal: fault.message });
        }
      },
      play: () => {
        [began, played] = [performance.now(), 0];
        clearTimeout(timer);
        timer = setTimeout(play);
      },
      pause: () => {
        clearTimeout(timer);
        report(true, 0);
      },
      step: ({ count }) => {
        for (let i = 0; i < count; i++) stepAll();
        report(true, 0);
      },
    };
    return ({ data }) => actions[data.type](data);
  }

  const source = () => `
    const engine = {};
    ${Playground.pieces.map((piece) => `(${piece})(engine);`).join("\n")}
    onmessage = (${serve})(engine);`;

  Playground.startWorker = (onMessage) => {
    const worker = new Worker(URL.createObjectURL(new Blob([source()], { type: "text/javascript" })));
    worker.onmessage = ({ data }) => onMessage(data);
    return worker;
  };
})();
