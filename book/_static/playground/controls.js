// The controls of a network, which stand in the page: what they show, and what a reader chooses with them.
(() => {
  "use strict";

  const upTo = (last) => Array.from({ length: last }, (_, i) => i + 1);
  const STEPS = [1, 1.5, 2, 3, 4, 6, 8];
  const decades = Array.from({ length: 36 }, (_, i) => Number(`${STEPS[i % 7]}e${Math.floor(i / 7) - 4}`)); // up to 10

  // The positions of the sliders; an address may name what lies between.
  const VALUES = {
    std: decades, lr: decades, depth: upTo(50), width: [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128],
    batch: [5, 10, 20, 50, 100, 200], seed: upTo(100),
  };
  const nearest = (values, wanted) =>
    values.reduce((best, value, i) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best), 0);

  function showConfig(side, config) {
    for (const [name, value] of Object.entries(config)) {
      const input = document.getElementById(`${side}-${name}`), values = VALUES[name];
      if (values) {
        input.max = values.length - 1;
        input.setAttribute("aria-valuetext", value);
        input.previousElementSibling.textContent = value;
      }
      input.value = values ? nearest(values, value) : value;
    }
    const hasStd = ["constant", "normal"].includes(config.initializer);
    document.getElementById(`${side}-std`).parentElement.classList.toggle("unused", !hasStd);
  }

  // The network and the field that an input belongs to, and the choice that it stands at.
  function chosen({ id, value }) {
    const [side, name] = id.split("-");
    return { side, name, value: VALUES[name]?.[value] ?? value };
  }

  Object.assign(Playground, { VALUES, showConfig, chosen });
})();
