// Draws the newest snapshots of both networks, and the experiment that they belong to.
(() => {
  "use strict";
  const { PANELS, PRESETS, write } = Playground;

  const find = (selector) => document.querySelector(`.playground ${selector}`);
  const text = (name) => find(`[data-says=${name}]`).textContent; // the page's sentences stand in the page

  // The training examples of flat data, drawn from the seed as the worker draws them.
  const known = {};
  const examples = (data, seed) => (known[`${data} ${seed}`] ??= Playground.engine.loadData(data, seed).train);

  function drawSide(name, snapshot, { data, seed }) {
    const { layers, boundary, firstLayer } = snapshot, canvas = find(`.${name} canvas`);
    Playground.drawRidge(find(`.${name} .pg-ridge`), layers);
    find(`.${name} .pg-learned`).classList.toggle("flat", boundary !== null);
    if (boundary) Playground.drawBoundary(canvas, boundary, examples(data, seed));
    if (firstLayer) Playground.drawFirstLayer(canvas, firstLayer);
    if (find(".pg-table").open) Playground.fillTable(find(`table.${name}`), name, snapshot);
  }

  // A refusal, or that a network has stopped. The words are read out when they change, so only then are they set.
  function tell(name, words) {
    const place = find(`.${name} .pg-told`);
    if (place.textContent !== words) place.textContent = words;
  }

  function drawCharts(latest, { a, b }) {
    const classes = a.data === "digits" ? 10 : 2, isSame = (a.data === "digits") === (b.data === "digits");
    for (const key in PANELS) Playground.drawPanel(find(`.${key}`), PANELS[key], latest, isSame && classes);
    const ahead = Object.values(latest).reduce((one, other) => (one.step > other.step ? one : other));
    const speed = ahead.stepsPerSecond ? `, ${Math.round(ahead.stepsPerSecond)} steps a second` : "";
    find(".pg-clock").textContent = `step ${ahead.step}, epoch ${ahead.epoch.toFixed(1)}${speed}`;
  }

  // A part is the charts or a side; `latest` holds the newest snapshot of each side that has one.
  function draw(part, latest, experiment) {
    if (latest[part]) drawSide(part, latest[part], experiment[part]);
    if (part === "charts" && Object.keys(latest).length) drawCharts(latest, experiment);
  }

  // The controls, and the story that it is.
  function showExperiment(experiment) {
    for (const name of ["a", "b"]) Playground.showConfig(name, experiment[name]);
    for (const link of document.querySelectorAll(".pg-presets a")) {
      const chosen = write(PRESETS[link.hash.replace("#preset-", "")]) === write(experiment);
      link.setAttribute("aria-current", chosen);
      document.querySelector(link.hash).classList.toggle("chosen", chosen);
      if (chosen) link.closest("ul").scrollLeft = link.offsetLeft - 16; // on a phone the row is longer than the screen
    }
  }

  Object.assign(Playground, { draw, showExperiment, find, text, tell });
})();
