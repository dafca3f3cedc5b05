// The controls of one network, made from the fields of an experiment.
globalThis.Playground ??= {};
(() => {
  "use strict";
  const { FIELDS } = Playground;

  const FIRST = ["initializer", "std", "activation", "depth"]; // these are always open
  const nearest = (values, wanted) =>
    values.reduce((best, value, i) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best), 0);

  function menu(id, options) {
    const items = Object.entries(options).map(([value, text]) => `<option value="${value}">${text}</option>`);
    return `<select id="${id}" autocomplete="off">${items.join("")}</select>`;
  }
  const slider = (id, values) =>
    `<output for="${id}"></output><input type="range" id="${id}" min="0" max="${values.length - 1}" autocomplete="off">`;

  function makeControls(form, side) {
    for (const [name, { label, options, values }] of Object.entries(FIELDS)) {
      const id = `${side}-${name}`, row = document.createElement("div");
      row.className = "pg-control";
      row.innerHTML = `<label for="${id}">${label}</label>${options ? menu(id, options) : slider(id, values)}`;
      form.querySelector(FIRST.includes(name) ? ".pg-first" : ".pg-more").append(row);
    }
  }

  function showConfig(form, side, config) {
    for (const [name, { values }] of Object.entries(FIELDS)) {
      const input = form.querySelector(`#${side}-${name}`);
      input.value = values ? nearest(values, config[name]) : config[name];
      if (!values) continue;
      input.setAttribute("aria-valuetext", config[name]);
      input.previousElementSibling.textContent = config[name];
    }
    form.querySelector(`#${side}-std`).parentElement.hidden = !["constant", "normal"].includes(config.initializer);
  }

  // The field that an input belongs to, and the choice that it stands at.
  function chosen(input) {
    const name = input.id.slice(2), { values } = FIELDS[name];
    return [name, values ? values[input.value] : input.value];
  }

  Object.assign(Playground, { makeControls, showConfig, chosen });
})();
