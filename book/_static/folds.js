// A link to something inside a closed fold (a prediction, a solution, a hidden cell) opens the fold.
(() => {
  "use strict";

  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folds = [];
    for (let node = target; node; node = node.parentElement) {
      if (node.matches("details:not([open])")) folds.push(() => { node.open = true; });
      if (node.matches(".toggle-hidden")) folds.push(() => node.querySelector(".toggle-button").click());
    }
    folds.forEach((open) => open());
    if (folds.length) target.scrollIntoView();
  }

  window.addEventListener("load", reveal);
  window.addEventListener("hashchange", reveal);
  // A second click on the same link changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && link.href === location.href && link.hash) reveal();
  });
})();
