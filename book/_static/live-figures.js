// Live figures without a kernel: each control of a figure has a position; together they pick one of its frames.
(() => {
  "use strict";

  const slider = (control) => control.querySelector("input[type=range]");
  const position = (control) => Number((slider(control) ?? control.querySelector(":checked")).value);
  const length = (control) => (slider(control) ? Number(slider(control).max) + 1 : control.querySelectorAll("input").length);

  // The frames stand in the order of the grid: the last control varies fastest.
  const frameIndex = (controls) => controls.reduce((index, control) => index * length(control) + position(control), 0);

  function showValue(control) {
    const input = slider(control);
    if (!input) return; // checked buttons show their own value
    const text = input.dataset.values.split("|")[input.value];
    control.querySelector("output").textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  function connect(figure) {
    const form = figure.querySelector(".live-controls");
    const controls = [...form.querySelectorAll(".live-control")];
    const frames = [...figure.querySelector(".live-frames").children]; // pictures, or texts
    const words = (frame) => frame.alt ?? frame.getAttribute("aria-label");
    const status = figure.querySelector(".live-status");
    let timer = null;

    const show = () => {
      controls.forEach(showValue);
      const index = frameIndex(controls);
      frames.forEach((frame, i) => { frame.hidden = i !== index; });
      if (timer === null) status.textContent = words(frames[index]); // do not read out every step of a running figure
    };

    const button = form.querySelector(".live-play");
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
      status.textContent = words(frames[frameIndex(controls)]);
    };
    const play = () => {
      const time = slider(controls.find((control) => control.dataset.control === button.dataset.plays));
      if (time.value === time.max) time.value = time.min;
      show();
      button.textContent = "Pause";
      timer = setInterval(() => {
        time.value = Number(time.value) + 1;
        show();
        if (time.value === time.max) stop();
      }, 500);
    };

    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    button?.addEventListener("click", () => (timer === null ? play() : stop()));
    form.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".live-figure").forEach(connect));
})();
