// Typeset the formulas in small portions, those in view first: the page answers the reader all the while.
(() => {
  "use strict";

  const PORTION = 12; // milliseconds, of the 16 that a screen takes for a picture
  const inView = (formula) => {
    const { top, bottom } = formula.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  };
  const pause = () => new Promise((resume) => { setTimeout(resume); });

  async function typeset() {
    const { mathjax } = MathJax._.mathjax;
    const formulas = [...document.querySelectorAll(".math")];
    const seen = formulas.filter(inView);
    const waiting = [...seen, ...formulas.filter((formula) => !seen.includes(formula))];
    for (let count = 8; waiting.length > 0;) {
      const started = performance.now();
      const portion = waiting.splice(0, count);
      await mathjax.handleRetriesFor(() => MathJax.typeset(portion)); // an extension of TeX may have to come first
      count = Math.max(4, Math.min(64, Math.round(count * PORTION / (performance.now() - started))));
      await pause();
    }
  }

  // What waits for MathJax waits for all formulas.
  window.addEventListener("DOMContentLoaded", () => {
    if (!window.MathJax?.startup) return;
    // The columns of a table find their widths with its formulas: show them when they have.
    const tables = document.querySelectorAll("table:has(.math)");
    const show = (visibility) => tables.forEach((table) => { table.style.visibility = visibility; });
    show("hidden");
    MathJax.startup.promise = MathJax.startup.promise.then(typeset).finally(() => show(""));
  });
})();
