// A chart of one quantity for both networks: A solid, B dashed. What a log scale cannot hold has a row of its own:
// exact zeros below, overflow above.
globalThis.Playground ??= {};
(() => {
  "use strict";
  const { power, format } = Playground;

  const MARGIN = { left: 44, right: 6, top: 10, bottom: 20 }; // in pixels, around the plot

  function linearScale([low, high]) {
    const ticks = [low, (low + high) / 2, high].map((value) => ({ value, text: format(value) }));
    return { ticks, place: (value) => Math.min((value - low) / (high - low), 1) };
  }

  const MARKS = Array.from({ length: 121 }, (_, i) => [1, 2, 5].map((step) => Number(`${step}e${i - 60}`))).flat();

  // Marks that enclose the values: all of them where they are few, else every so many powers of ten.
  function marksAround(values) {
    const most = values.length ? Math.max(...values) : 1, least = values.length ? Math.min(...values) : 1;
    const first = MARKS.findLastIndex((mark) => mark < least), last = MARKS.findIndex((mark) => mark > most);
    const marks = MARKS.slice(first, last + 1), powers = marks.filter((mark) => power(mark));
    const every = Math.ceil(powers.length / 5);
    return { low: marks[0], high: marks.at(-1), shown: marks.length <= 5 ? marks : powers.filter((_, i) => i % every === 0) };
  }

  function logScale(values) {
    const { low, high, shown } = marksAround(values.filter((value) => value > 0 && Number.isFinite(value)));
    const span = Math.log10(high / low), margin = 0.2 * span;
    const bottom = Math.log10(low) - (values.includes(0) ? margin : 0);
    const top = Math.log10(high) + (values.every(Number.isFinite) ? 0 : margin);
    const ticks = shown.map((value) => ({ value, text: power(value) ?? String(value) }));
    if (values.includes(0)) ticks.push({ value: 0, text: "0" });
    if (!values.every(Number.isFinite)) ticks.push({ value: Infinity, text: "over" });
    const inside = (value) => (Math.log10(value) - bottom) / (top - bottom);
    return { ticks, place: (value) => (value === 0 ? 0 : Number.isFinite(value) ? inside(value) : 1) };
  }

  // A path through the points, and a dot on the last: the only one before the first step.
  function line(side, points) {
    if (!points.length) return "";
    const [x, y] = points.at(-1).split(" ");
    return `<path class="line ${side}" d="M${points.join("L")}"/><circle class="${side}" cx="${x}" cy="${y}" r="3.5"/>`;
  }

  // Pixels are the units of a chart, so that text has one size on every screen. `changed` is called when one has changed.
  function followSizes(charts, changed) {
    const observer = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) target.setAttribute("viewBox", `0 0 ${width} ${height}`);
      changed();
    });
    for (const chart of charts) observer.observe(chart);
  }

  // Where the plot of a chart lies. To ask the page itself for the size would make it lay out everything anew.
  function plotOf(svg) {
    const { width, height } = svg.viewBox.baseVal;
    return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom, width, height };
  }

  // `series` is [{side, x, y}]; `bounds` fixes a linear scale, without it the scale is logarithmic.
  function drawLines(svg, { series, bounds, reference }) {
    const { left, right, top, bottom, height } = plotOf(svg);
    const x = series.flatMap((each) => each.x), first = Math.min(...x), last = Math.max(...x, first + 1);
    const scale = bounds ? linearScale(bounds) : logScale(series.flatMap((each) => each.y));
    const across = (value) => (left + ((right - left) * (value - first)) / (last - first)).toFixed(1);
    const up = (value) => (bottom - (bottom - top) * scale.place(value)).toFixed(1);
    const rule = (value, kind) => `<path class="${kind}" d="M${left} ${up(value)}H${right}"/>`;
    const mark = ({ value, text }) => `${rule(value, "grid")}<text class="y" x="${left - 5}" y="${Number(up(value)) + 4}">${text}</text>`;
    svg.innerHTML = [
      ...scale.ticks.map(mark),
      ...[first, last].map((value, i) => `<text class="x${i}" x="${across(value)}" y="${height - 4}">${value}</text>`),
      reference === undefined ? "" : rule(reference, "reference"),
      ...series.map(({ side, x, y }) => line(side, x.map((value, i) => `${across(value)} ${up(y[i])}`))),
    ].join("");
  }

  Object.assign(Playground, { drawLines, plotOf, followSizes });
})();
