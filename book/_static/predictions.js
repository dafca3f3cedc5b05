// Predictions: compare the reader's answer with what happens, say so in words, and open the fold.
// The paragraph after a prediction tells its outcome: it is out of focus until the fold opens or the reader touches it.
(() => {
  "use strict";

  // "0,83" and "0.83", "-2" and "−2"; NaN for anything else.
  const parse = (text) => {
    const plain = text.replace(/\s/g, "").replace("−", "-").replace(",", ".");
    return plain === "" ? NaN : Number(plain);
  };

  function veil(outcome, box, fold) {
    const hint = Object.assign(document.createElement("p"), {
      className: "prediction-hint",
      textContent: "The next paragraph tells the outcome. It gets sharp when you answer or touch it.",
    });
    const unveil = () => {
      hint.remove();
      outcome.classList.remove("prediction-outcome");
    };
    box.append(hint);
    outcome.classList.add("prediction-outcome");
    fold.addEventListener("toggle", unveil, { once: true });
    outcome.addEventListener("click", unveil, { once: true });
    outcome.addEventListener("focusin", unveil, { once: true });
  }

  function connect(box) {
    const form = box.querySelector(".prediction-form");
    const fold = box.querySelector(".prediction-fold");
    const verdict = box.querySelector(".prediction-verdict");
    const answer = box.querySelector(".prediction-answer");
    const field = form.querySelector("input[type=text]");
    const right = Number(box.dataset.answer);

    const say = (...parts) => verdict.replaceChildren(...parts);
    const sentence = () => [...answer.cloneNode(true).childNodes];

    function compareChoice() {
      const chosen = form.querySelector("input:checked");
      if (!chosen) return say("Choose an answer first, or open the fold to see what happens.");
      if (Number(chosen.value) !== right) return tell(`You chose ${chosen.value}. `, ...sentence());
      return tell(`You chose ${chosen.value}, and that is what happens. `, ...sentence());
    }

    function compareNumber() {
      const number = parse(field.value);
      if (!Number.isFinite(number)) return say("Enter a number such as 12 or 0.5, or open the fold to see what happens.");
      const close = Math.abs(number - right) <= Number(box.dataset.tolerance) * Math.abs(right);
      return tell(`You said ${number}. `, ...sentence(), close ? " Your number is close." : "");
    }

    function tell(...parts) {
      say(...parts);
      answer.hidden = true; // the same sentence stands above the fold now
      fold.open = true;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (field) compareNumber();
      else compareChoice();
    });
    const button = form.querySelector("button");
    button.hidden = button.disabled = false;
    if (box.nextElementSibling?.matches("p")) veil(box.nextElementSibling, box, fold);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".prediction").forEach(connect));
})();
