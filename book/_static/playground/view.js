// Draws the newest snapshots of both networks, and the experiment that they belong to.
globalThis.Playground ??= {};
(() => {
  "use strict";
  const { PANELS, PRESETS, write } = Playground;

  const root = document.querySelector(".playground");
  const find = (selector) => root.querySelector(selector);
  const side = (name) => find(`.pg-side.${name}`);
  const text = (name) => find(`[data-says=${name}]`).textContent; // the page's sentences stand in the page

  // The training examples of flat data, drawn from the seed as the worker draws them.
  const known = {};
  const examples = (data, seed) => (known[`${data} ${seed}`] ??= Playground.engine.loadData(data, seed).train);

  function drawLearned(figure, { boundary, firstLayer }, { data, seed }) {
    const canvas = figure.querySelector("canvas"), says = text(firstLayer ? "weights" : "boundary");
    figure.hidden = !boundary && !firstLayer;
    if (boundary) Playground.drawBoundary(canvas, boundary, examples(data, seed));
    if (firstLayer) Playground.drawFirstLayer(canvas, firstLayer);
    figure.querySelector("figcaption").textContent = says;
    canvas.setAttribute("aria-label", says);
  }

  function drawSide(name, snapshot, config) {
    const place = side(name), { overflowAt } = snapshot;
    Playground.drawRidge(place.querySelector(".pg-ridge"), snapshot.layers);
    drawLearned(place.querySelector(".pg-learned"), snapshot, config);
    place.querySelector(".pg-overflow").textContent = overflowAt === null ? "" : text("overflow").replace("#", overflowAt);
    if (find(".pg-table").open) Playground.fillTable(find(`table.${name}`), name, snapshot);
  }

  function drawClock({ step, epoch, stepsPerSecond }, playing) {
    const speed = playing && stepsPerSecond ? `, ${Math.round(stepsPerSecond)} steps a second` : "";
    find(".pg-clock").textContent = `step ${step}, epoch ${epoch.toFixed(1)}${speed}`;
  }

  // `latest` holds the newest snapshot of each side that has one.
  function draw(latest, experiment, playing) {
    const classes = ["a", "b"].map((name) => (experiment[name].data === "digits" ? 10 : 2));
    const chance = classes[0] === classes[1] ? classes[0] : undefined;
    for (const [name, snapshot] of Object.entries(latest)) drawSide(name, snapshot, experiment[name]);
    for (const [key, panel] of Object.entries(PANELS)) Playground.drawPanel(find(`.pg-panel.${key}`), panel, latest, chance);
    const [first] = Object.values(latest);
    if (first) drawClock(first, playing);
  }

  function showExperiment(experiment) {
    for (const name of ["a", "b"]) Playground.showConfig(side(name).querySelector("form"), name, experiment[name]);
    for (const preset of document.querySelectorAll(".pg-preset")) {
      const chosen = write(PRESETS[preset.id.replace("preset-", "")]) === write(experiment);
      preset.classList.toggle("chosen", chosen);
      preset.querySelector("a").setAttribute("aria-current", chosen);
    }
  }

  // The parts that repeat: two sides, and a figure for each panel.
  function makeParts() {
    for (const name of ["a", "b"]) {
      const place = find("template").content.cloneNode(true).firstElementChild;
      place.classList.add(name);
      place.querySelector(".pg-name").textContent = `Network ${name.toUpperCase()}`;
      Playground.makeControls(place.querySelector("form"), name);
      find(".pg-sides").append(place);
    }
    for (const [key, { title }] of Object.entries(PANELS)) {
      find(`.pg-panel.${key}`).innerHTML = `<figcaption><div>${title}</div><span class="value a"></span> <span class="value b"></span></figcaption>
        <svg role="img"></svg>`;
    }
  }

  Object.assign(Playground, { draw, showExperiment, makeParts, find, side, text });
})();
