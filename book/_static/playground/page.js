// The page: presets, controls and buttons say what the worker trains; what it reports is drawn.
(() => {
  "use strict";
  const { PRESETS, FIRST, find, text } = Playground;

  const SHARED = ["data", "batch", "seed"]; // one switch keeps these the same on both sides
  const latest = {}; // the newest snapshot of each side
  const stale = new Set(); // the parts of the page to be drawn: one a frame, for all of them take longer than a frame
  let experiment, timer, frame, playing = false;

  const say = (sentence) => { find(".pg-status").textContent = sentence; };

  function drawSoon(...parts) {
    for (const part of parts) stale.add(part);
    frame ??= requestAnimationFrame(drawNext);
  }

  function drawNext() {
    const [part] = stale;
    stale.delete(part);
    Playground.draw(part, latest, experiment);
    frame = stale.size ? requestAnimationFrame(drawNext) : undefined;
  }

  // --- the worker ---

  const worker = Playground.startWorker(({ side, snapshot, refusal }) => {
    if (snapshot) latest[side] = snapshot;
    else delete latest[side];
    find(`.pg-side.${side}`).classList.toggle("refused", !snapshot);
    const overflow = snapshot && snapshot.overflowAt !== null;
    Playground.tell(side, overflow ? text("overflow").replace("#", snapshot.overflowAt) : refusal ?? "");
    drawSoon(side, "charts");
  });

  function build() {
    for (const side of ["a", "b"]) worker.postMessage({ type: "build", side, config: experiment[side] });
  }

  function setPlaying(wanted) {
    playing = wanted;
    worker.postMessage({ type: playing ? "play" : "pause" });
    find("[data-do=play]").textContent = playing ? "Pause" : "Play";
  }

  function stop() {
    if (playing) setPlaying(false);
  }

  // --- the experiment and the address ---

  function changed() {
    Playground.showExperiment(experiment);
    history.replaceState(null, "", Playground.write(experiment));
    clearTimeout(timer);
    timer = setTimeout(build, 60); // a slider that is dragged asks for many
  }

  function open() {
    say("");
    try {
      experiment = structuredClone(PRESETS[location.hash.replace("#preset-", "")]) ?? Playground.read(location.hash);
    } catch (fault) {
      if (!(fault instanceof RangeError)) throw fault;
      experiment = structuredClone(PRESETS[FIRST]);
      say(text("malformed").replace("#", fault.message));
    }
    find(".pg-same").checked = SHARED.every((name) => experiment.a[name] === experiment.b[name]);
    stop();
    changed();
  }

  // --- what a reader does ---

  function choose({ target }) {
    const { side, name, value } = Playground.chosen(target);
    const both = SHARED.includes(name) && find(".pg-same").checked;
    for (const each of both ? ["a", "b"] : [side]) experiment[each][name] = value;
    changed();
  }

  function share({ target }) {
    if (target.checked) for (const name of SHARED) experiment.b[name] = experiment.a[name];
    changed();
  }

  function describe() {
    const results = Object.entries(latest).map(([side, { loss, accuracy }]) =>
      `${side.toUpperCase()}: loss ${Playground.format(loss, 3)}, accuracy ${Playground.percent(accuracy)}.`);
    say(`Paused. ${results.join(" ")}`);
  }

  const ACTIONS = {
    play: () => {
      setPlaying(!playing);
      if (playing) say("");
      else describe();
    },
    step: () => { stop(); worker.postMessage({ type: "step", count: 1 }); },
    reset: () => { stop(); say(""); build(); },
    seed: () => {
      for (const side of ["a", "b"]) experiment[side].seed = (experiment[side].seed % 100) + 1;
      changed();
    },
    copy: () => navigator.clipboard.writeText(location.href).then(() => say(text("copied")), () => say(text("not-copied"))),
  };

  for (const action in ACTIONS) find(`[data-do=${action}]`).addEventListener("click", ACTIONS[action]);
  find(".pg-sides").addEventListener("input", choose);
  find(".pg-sides").addEventListener("submit", (event) => event.preventDefault());
  find(".pg-same").addEventListener("change", share);
  find(".pg-table").addEventListener("toggle", () => drawSoon("a", "b"));
  Playground.followSizes(document.querySelectorAll(".playground svg"), () => drawSoon("a", "b", "charts"));
  addEventListener("hashchange", open);
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  open();
})();
