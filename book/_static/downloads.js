// The download button saves a file; without this a browser opens a notebook as text in a tab.
// A page from disk (file:) may not read the notebook beside it. There a script holds the text: NAME.ipynb.js.
(() => {
  "use strict";

  window.saveNotebook = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  function loadFromScript(event) {
    event.preventDefault();
    const script = document.createElement("script");
    script.src = `${event.currentTarget.href}.js`;
    script.onload = () => script.remove();
    document.head.append(script);
  }

  window.addEventListener("DOMContentLoaded", () => {
    for (const link of document.querySelectorAll("a.btn-download-source-button")) {
      link.download = "";
      link.removeAttribute("target");
      if (location.protocol === "file:" && link.pathname.endsWith(".ipynb")) {
        link.addEventListener("click", loadFromScript);
      }
    }
  });
})();
