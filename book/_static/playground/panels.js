// What the line charts show, and what the table says: each quantity once.
(() => {
  "use strict";
  const { format, percent, drawLines } = Playground;

  const layers = (field) => ({ layers }) => ({ x: layers.map((_, i) => i + 1), y: layers.map((layer) => layer[field]) });
  const history = (field) => ({ history }) => ({ x: history.step, y: history[field] });
  const ends = (y) => `${format(y[0])} → ${format(y.at(-1))}`;
  const most = (y) => (y.length ? `up to ${percent(Math.max(...y))}` : "none");
  const middle = (y) => (y.length ? `about ${format([...y].sort((one, other) => one - other)[y.length >> 1])}` : "none");

  // `of` picks the points from a snapshot, `says` puts them into a few words.
  const PANELS = {
    loss: { of: history("loss"), says: (_, { loss }) => format(loss, 3), chance: Math.log },
    accuracy: { of: history("accuracy"), says: (_, { accuracy }) => percent(accuracy), isShare: true, chance: (classes) => 1 / classes },
    rms: { of: layers("rms"), says: ends },
    gradientRms: { of: layers("gradientRms"), says: ends },
    updateRatio: { of: layers("updateRatio"), says: middle },
    dead: { of: layers("dead"), says: most, isShare: true },
    saturated: { of: layers("saturated"), says: most, isShare: true },
  };

  // A layer without an activation has no dead units: its point is null.
  function drawPanel(figure, { of, says, isShare, chance }, snapshots, classes) {
    const series = Object.entries(snapshots).map(([side, snapshot]) => ({ side, ...of(snapshot) }));
    for (const { side, y } of series) {
      const words = says(y.filter((value) => value !== null), snapshots[side]);
      figure.querySelector(`.value.${side}`).textContent = `${side.toUpperCase()} ${words}`;
    }
    drawLines(figure.querySelector("svg"), series, isShare, classes && chance?.(classes));
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
