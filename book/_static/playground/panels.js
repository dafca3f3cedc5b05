// What the line charts show, and what the table says: each quantity once.
globalThis.Playground ??= {};
(() => {
  "use strict";
  const { format, percent, drawLines } = Playground;

  // Points without those that are null: a layer without an activation has no dead units.
  function points(x, y) {
    const kept = y.flatMap((value, i) => (value === null ? [] : [i]));
    return { x: kept.map((i) => x[i]), y: kept.map((i) => y[i]) };
  }
  const layers = (field) => ({ layers }) => points(layers.map((_, i) => i + 1), layers.map((layer) => layer[field]));
  const history = (field) => ({ history }) => points(history.step, history[field]);
  const ends = ({ y }) => (y.length > 1 ? `${format(y[0])} → ${format(y.at(-1))}` : y.map(format).join());
  const most = ({ y }) => (y.length ? `up to ${percent(Math.max(...y))}` : "none");
  const middle = ({ y }) => (y.length ? `about ${format([...y].sort((one, other) => one - other)[y.length >> 1])}` : "none");

  // `of` picks the points from a snapshot, `says` puts them into a few words.
  const PANELS = {
    loss: { title: "Loss", of: history("loss"), says: (_, snapshot) => format(snapshot.loss, 3), chance: (classes) => Math.log(classes) },
    accuracy: {
      title: "Accuracy", of: history("accuracy"), says: (_, snapshot) => percent(snapshot.accuracy), bounds: [0, 1],
      chance: (classes) => 1 / classes,
    },
    rms: { title: "Signal", of: layers("rms"), says: ends },
    gradientRms: { title: "Gradient", of: layers("gradientRms"), says: ends },
    dead: { title: "Dead units", of: layers("dead"), says: most, bounds: [0, 1] },
    saturated: { title: "Saturated units", of: layers("saturated"), says: most, bounds: [0, 1] },
    updateRatio: { title: "Update ratio", of: layers("updateRatio"), says: middle },
  };

  function drawPanel(figure, panel, snapshots, classes) {
    const series = Object.entries(snapshots).map(([side, snapshot]) => ({ side, ...panel.of(snapshot) }));
    figure.hidden = series.every(({ x }) => x.length === 0);
    if (figure.hidden) return;
    const words = series.map((each) => ({ side: each.side, text: panel.says(each, snapshots[each.side]) }));
    words.forEach(({ side, text }) => { figure.querySelector(`.value.${side}`).textContent = `${side.toUpperCase()} ${text}`; });
    const svg = figure.querySelector("svg");
    svg.setAttribute("aria-label", `${panel.title}: ${words.map(({ side, text }) => `${side.toUpperCase()} ${text}`).join(", ")}.`);
    drawLines(svg, { series, bounds: panel.bounds, reference: classes && panel.chance?.(classes) });
  }

  const COLUMNS = {
    rms: ["signal", format], gradientRms: ["gradient", format], updateRatio: ["update ratio", format],
    dead: ["dead", percent], saturated: ["saturated", percent],
  };

  function fillTable(table, side, { step, loss, accuracy, layers }) {
    const headings = ["layer", ...Object.values(COLUMNS).map(([name]) => name)];
    const rows = layers.map((layer) => {
      const cells = Object.entries(COLUMNS).map(([field, [, words]]) => `<td>${layer[field] === null ? "" : words(layer[field])}</td>`);
      return `<tr><th scope="row">${layer.name}</th>${cells.join("")}</tr>`;
    });
    table.innerHTML = `<caption>Network ${side.toUpperCase()}, step ${step}: loss ${format(loss, 3)}, accuracy ${percent(accuracy)}</caption>
      <thead><tr>${headings.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody>`;
  }

  Object.assign(Playground, { PANELS, drawPanel, fillTable });
})();
