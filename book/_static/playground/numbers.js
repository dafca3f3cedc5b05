// Numbers as words, for the charts, the table and the sentences alike.
globalThis.Playground ??= {};
(() => {
  "use strict";

  const raised = (exponent) => [...String(exponent)].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("");
  const power = (exponent) => (Math.abs(exponent) <= 3 ? String(Number(`1e${exponent}`)) : `10${raised(exponent)}`);

  function format(number) {
    if (!Number.isFinite(number)) return "overflow";
    const size = Math.abs(number);
    if (number === 0 || (size >= 0.001 && size < 10000)) return String(Number(number.toPrecision(3)));
    const [mantissa, exponent] = number.toExponential(1).split("e");
    return `${mantissa}×10${raised(Number(exponent))}`;
  }
  const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : "overflow");

  Object.assign(Playground, { power, format, percent });
})();
