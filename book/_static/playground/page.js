// The page: presets, controls and buttons say what the worker trains; what it reports is drawn once a frame.
(() => {
  "use strict";
  const { SHARED, PRESETS, FIRST, find, side, text } = Playground;

  const latest = {}; // the newest snapshot of each side
  let experiment, worker, timer, playing = false, waiting = false;
  let told = new Set(); // the sides whose overflow was announced

  const say = (sentence) => { find(".pg-status").textContent = sentence; };

  function drawSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      Playground.draw(latest, experiment, playing);
    });
  }

  // --- the worker ---

  function onMessage({ type, side: name, snapshot, message }) {
    const refused = type === "refused";
    side(name).querySelector(".pg-refused").textContent = refused ? message : "";
    side(name).querySelector(".pg-pictures").hidden = refused;
    if (refused) delete latest[name];
    else latest[name] = snapshot;
    if (snapshot?.overflowAt != null && !told.has(name)) say(`Network ${name.toUpperCase()}: ${text("overflow").replace("#", snapshot.overflowAt)}`);
    if (snapshot?.overflowAt != null) told.add(name);
    drawSoon();
  }

  function build() {
    told = new Set();
    for (const name of ["a", "b"]) worker.post({ type: "build", side: name, config: experiment[name] });
  }

  function setPlaying(wanted) {
    playing = wanted;
    worker.post({ type: playing ? "play" : "pause" });
    find("[data-do=play]").textContent = playing ? "Pause" : "Play";
    drawSoon();
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
    const preset = PRESETS[location.hash.replace("#preset-", "")];
    say("");
    try {
      experiment = structuredClone(preset) ?? Playground.read(location.hash);
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
    const [name, value] = Playground.chosen(target), own = target.form.closest(".pg-side").classList.contains("a") ? "a" : "b";
    const both = SHARED.includes(name) && find(".pg-same").checked;
    for (const each of both ? ["a", "b"] : [own]) experiment[each][name] = value;
    changed();
  }

  function share({ target }) {
    if (target.checked) for (const name of SHARED) experiment.b[name] = experiment.a[name];
    changed();
  }

  function describe() {
    const results = Object.entries(latest).map(([name, { loss, accuracy }]) =>
      `${name.toUpperCase()}: loss ${Playground.format(loss, 3)}, accuracy ${Playground.percent(accuracy)}.`);
    say(`Paused. ${results.join(" ")}`);
  }

  const ACTIONS = {
    play: () => {
      setPlaying(!playing);
      if (playing) say("");
      else describe();
    },
    step: () => { stop(); worker.post({ type: "step", count: 1 }); },
    reset: () => { stop(); say(""); build(); },
    seed: () => {
      for (const name of ["a", "b"]) experiment[name].seed = (experiment[name].seed % 100) + 1;
      changed();
    },
    copy: () => navigator.clipboard.writeText(location.href).then(() => say(text("copied")), () => say(text("not-copied"))),
  };

  function start() {
    Playground.makeParts();
    worker = Playground.startWorker(onMessage);
    for (const button of document.querySelectorAll(".playground [data-do]")) button.addEventListener("click", ACTIONS[button.dataset.do]);
    find(".pg-sides").addEventListener("input", choose);
    find(".pg-sides").addEventListener("submit", (event) => event.preventDefault());
    find(".pg-same").addEventListener("change", share);
    Playground.followSizes(document.querySelectorAll(".playground svg"), drawSoon);
    find(".pg-table").addEventListener("toggle", drawSoon);
    addEventListener("hashchange", open);
    document.addEventListener("visibilitychange", () => document.hidden && stop());
    open();
  }

  start();
})();
