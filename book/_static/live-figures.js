// Live figures without a kernel: each control of a figure has a position; together they pick one of its frames.
// The page holds the frame of the start; the others lie in a script, which is asked for when the figure comes near.
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

  // The script with the frames calls this: null stands for the one that is in the page.
  window.liveFrames = (script, frames) => {
    const box = script.box;
    const start = box.firstElementChild;
    const template = document.createElement("template");
    box.append(...frames.map((html) => {
      if (html === null) return start;
      template.innerHTML = html;
      return template.content.firstElementChild;
    }));
    box.dispatchEvent(new Event("frames"));
    script.remove();
  };

  function load(box) {
    if (!box.dataset.frames) return;
    const script = document.createElement("script");
    script.src = box.dataset.frames;
    script.box = box;
    delete box.dataset.frames;
    document.head.append(script);
  }

  const nearby = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) {
        nearby.unobserve(target);
        load(target);
      }
    }
  }, { rootMargin: "100% 0px" });

  // Whoever comes by the keyboard sees the picture with its controls, or the picture where both have no room.
  function bringIntoView(event) {
    if (!event.target.matches(":focus-visible")) return;
    const figure = event.currentTarget.closest(".live-figure");
    const fits = figure.offsetHeight <= window.innerHeight;
    (fits ? figure : figure.querySelector(".live-frames")).scrollIntoView({ block: "nearest" });
  }

  function connect(figure) {
    const form = figure.querySelector(".live-controls");
    const controls = [...form.querySelectorAll(".live-control")];
    const box = figure.querySelector(".live-frames");
    const words = (frame) => frame?.alt ?? frame?.getAttribute("aria-label") ?? ""; // none yet, on a slow line
    const status = figure.querySelector(".live-status");
    let timer = null;

    const frame = () => box.children[frameIndex(controls)];
    const show = () => {
      controls.forEach(showValue);
      if (box.childElementCount === 1) return load(box); // shown when its frames are there
      for (const each of box.children) each.hidden = each !== frame();
      if (timer === null) status.textContent = words(frame()); // do not read out every step of a running figure
    };

    const button = form.querySelector(".live-play");
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
      status.textContent = words(frame());
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
    form.addEventListener("focusin", bringIntoView);
    const start = box.firstElementChild;
    box.addEventListener("frames", () => {
      show();
      if (frame() === start) status.textContent = ""; // nobody has moved anything yet
    });
    nearby.observe(box);
    form.addEventListener("submit", (event) => event.preventDefault());
    button?.addEventListener("click", () => (timer === null ? play() : stop()));
    form.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".live-figure").forEach(connect));
})();
