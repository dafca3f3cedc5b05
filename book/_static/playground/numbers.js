// Numbers as words, for the charts, the table and the sentences alike.
(() => {
  "use strict";

  const raised = (exponent) => [...String(exponent)].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("");

  // A power of ten in words; undefined for any other number.
  function power(number) {
    const exponent = Math.round(Math.log10(number));
    if (number !== Number(`1e${exponent}`)) return undefined;
    return Math.abs(exponent) <= 3 ? String(number) : `10${raised(exponent)}`;
  }

  function format(number, digits = 2) {
    if (!Number.isFinite(number)) return "overflow";
    const size = Math.abs(number);
    if (number === 0 || (size >= 0.001 && size < 10000)) return String(Number(number.toPrecision(digits)));
    const [mantissa, exponent] = number.toExponential(digits - 1).split("e");
    return `${mantissa}×10${raised(Number(exponent))}`;
  }
  const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : "overflow");

  Object.assign(Playground, { power, format, percent });
})();
