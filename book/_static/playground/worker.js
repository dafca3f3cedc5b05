// The worker that trains, so that the page stays smooth. It is made from the source of the pieces.
(() => {
  "use strict";

  // Runs inside the worker; P is the engine, `post` sends a message to the page.
  function serve(P, post) {
    const SLICE = 60; // milliseconds between two snapshots
    const sides = new Map();
    let playing = false, limit = Infinity, began, played;

    const report = (fresh) => {
      for (const [side, run] of sides) {
        const stepsPerSecond = playing ? (1000 * played) / (performance.now() - began) : 0;
        post({ type: "snapshot", side, snapshot: { ...run.snapshot(fresh), stepsPerSecond } });
      }
    };

    const stepAll = () => {
      for (const run of sides.values()) run.step();
      played++;
    };

    // Both sides take the same number of steps. Messages come in between two slices.
    const play = () => {
      if (!playing) return;
      const end = performance.now() + SLICE;
      const due = () => played < (limit * (performance.now() - began)) / 1000;
      while (performance.now() < end && due()) stepAll();
      report(false);
      setTimeout(play, due() ? 0 : SLICE);
    };

    const build = ({ side, config }) => {
      sides.delete(side);
      try {
        sides.set(side, P.createRun(config));
      } catch (fault) {
        if (!(fault instanceof RangeError)) throw fault;
        post({ type: "refused", side, message: fault.message });
        return;
      }
      post({ type: "snapshot", side, snapshot: sides.get(side).snapshot() });
    };

    const actions = {
      build,
      play: (message) => {
        [limit, began, played] = [message.limit ?? Infinity, performance.now(), 0];
        if (!playing) setTimeout(play);
        playing = true;
      },
      pause: () => {
        playing = false;
        report(true);
      },
      step: ({ count }) => {
        for (let i = 0; i < count; i++) stepAll();
        report(true);
      },
    };
    return (message) => actions[message.type](message);
  }

  const source = () => `
    const engine = {};
    ${Playground.pieces.map((piece) => `(${piece})(engine);`).join("\n")}
    const receive = (${serve})(engine, postMessage);
    onmessage = ({ data }) => receive(data);`;

  Playground.startWorker = (onMessage) => {
    const address = URL.createObjectURL(new Blob([source()], { type: "text/javascript" }));
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => onMessage(data);
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => { worker.terminate(); URL.revokeObjectURL(address); },
    };
  };
})();
