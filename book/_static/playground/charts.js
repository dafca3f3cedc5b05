// A chart of one quantity for both networks: A solid, B dashed. What a log scale cannot hold has a row of its own:
// exact zeros below, overflow above.
(() => {
  "use strict";
  const { power } = Playground;

  const MARGIN = { left: 44, right: 6, top: 10, bottom: 20 }; // in pixels, around the plot
  const MARKS = Array.from({ length: 121 }, (_, i) => [1, 2, 5].map((step) => Number(`${step}e${i - 60}`))).flat();

  // A scale has ticks, [value, text], and places a value between 0, the bottom, and 1, the top.
  const shares = { ticks: [0, 0.5, 1].map((value) => [value, String(value)]), place: (value) => value };

  // Its ends are marks that enclose the values. Shown are all marks where they are few, else every so many powers of ten.
  function logScale(values) {
    const inside = values.filter((value) => value > 0 && value < Infinity);
    const least = Math.min(...inside), most = Math.max(...inside);
    const first = inside.length ? MARKS.findLastIndex((mark) => mark < least) : MARKS.indexOf(0.1);
    const last = inside.length ? MARKS.findIndex((mark) => mark > most) : MARKS.indexOf(10);
    const marks = MARKS.slice(first, last + 1), powers = marks.filter(power), every = Math.ceil(powers.length / 5);
    const shown = marks.length <= 5 ? marks : powers.filter((_, i) => i % every === 0);
    const ticks = shown.map((value) => [value, power(value) ?? String(value)]);
    const zeros = values.includes(0), over = !values.every(Number.isFinite);
    if (zeros) ticks.push([0, "0"]);
    if (over) ticks.push([Infinity, "over"]);
    const low = Math.log10(marks[0]), span = Math.log10(marks.at(-1)) - low;
    const place = (value) => ((Math.log10(value) - low) / span + 0.2 * zeros) / (1 + 0.2 * zeros + 0.2 * over);
    return { ticks, place: (value) => (value === 0 ? 0 : Number.isFinite(value) ? place(value) : 1) };
  }

  // A path through the points, and a dot on the last: the only one before the first step.
  function line(side, points) {
    if (!points.length) return "";
    const [x, y] = points.at(-1).split(" ");
    return `<path class="line ${side}" d="M${points.join("L")}"/><circle class="${side}" cx="${x}" cy="${y}" r="3.5"/>`;
  }

  // Pixels are the units of a chart, so that text has one size on every screen.
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
    return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom, foot: height - 4 };
  }

  // `series` is [{side, x, y}], where y may be null; `isShare` asks for a linear scale from 0 to 1.
  function drawLines(svg, series, isShare, reference) {
    const { left, right, top, bottom, foot } = plotOf(svg);
    const x = series.flatMap((each) => each.x), first = Math.min(...x), last = Math.max(...x, first + 1);
    const known = series.flatMap((each) => each.y).filter((value) => value !== null);
    const { ticks, place } = isShare ? shares : logScale(known);
    const across = (value) => (left + ((right - left) * (value - first)) / (last - first)).toFixed(1);
    const up = (value) => (bottom - (bottom - top) * place(value)).toFixed(1);
    const rule = (value, kind) => `<path class="${kind}" d="M${left} ${up(value)}H${right}"/>`;
    const points = ({ x, y }) => x.map((value, i) => y[i] !== null && `${across(value)} ${up(y[i])}`).filter(Boolean);
    svg.innerHTML = [
      ...ticks.map(([value, text]) => `${rule(value, "grid")}<text class="y" x="${left - 5}" y="${Number(up(value)) + 4}">${text}</text>`),
      ...[first, last].map((value, i) => `<text class="x${i}" x="${across(value)}" y="${foot}">${value}</text>`),
      reference ? rule(reference, "reference") : "",
      ...series.map((each) => line(each.side, points(each))),
    ].join("");
  }

  Object.assign(Playground, { drawLines, plotOf, followSizes });
})();
