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

  function logScale(values) {
    const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
    const low = Math.floor(Math.min(0, ...logs)), high = Math.max(Math.ceil(Math.max(...logs, low)), low + 1);
    const margin = 0.2 * (high - low), every = Math.ceil((high - low) / 4);
    const bottom = values.includes(0) ? low - margin : low;
    const top = values.every(Number.isFinite) ? high : high + margin;
    const ticks = [];
    for (let exponent = low; exponent <= high; exponent += every) ticks.push({ value: 10 ** exponent, text: power(exponent) });
    if (bottom < low) ticks.push({ value: 0, text: "0" });
    if (top > high) ticks.push({ value: Infinity, text: "over" });
    const inside = (value) => (Math.log10(value) - bottom) / (top - bottom);
    return { ticks, place: (value) => (value === 0 ? 0 : Number.isFinite(value) ? inside(value) : 1) };
  }

  // A path through the points; the short stroke at its start makes a dot of a single one.
  const path = (side, points) => (points.length ? `<path class="line ${side}" d="M${points[0]}h.01L${points.join(" ")}"/>` : "");

  // Where the plot of a chart lies: pixels are its units, so that text has one size on every screen.
  function fit(svg) {
    const width = svg.clientWidth, height = svg.clientHeight;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom, width, height };
  }

  // `series` is [{side, x, y}]; `bounds` fixes a linear scale, without it the scale is logarithmic.
  function drawLines(svg, { series, bounds, reference }) {
    const { left, right, top, bottom, height } = fit(svg);
    const x = series.flatMap((each) => each.x), first = x.length ? Math.min(...x) : 0, last = Math.max(...x, first + 1);
    const scale = bounds ? linearScale(bounds) : logScale(series.flatMap((each) => each.y));
    const across = (value) => (left + ((right - left) * (value - first)) / (last - first)).toFixed(1);
    const up = (value) => (bottom - (bottom - top) * scale.place(value)).toFixed(1);
    const rule = (value, kind) => `<path class="${kind}" d="M${left} ${up(value)}H${right}"/>`;
    const mark = ({ value, text }) => `${rule(value, "grid")}<text class="y" x="${left - 5}" y="${Number(up(value)) + 4}">${text}</text>`;
    svg.innerHTML = [
      ...scale.ticks.map(mark),
      ...[first, last].map((value, i) => `<text class="x${i}" x="${across(value)}" y="${height - 4}">${value}</text>`),
      reference === undefined ? "" : rule(reference, "reference"),
      ...series.map(({ side, x, y }) => path(side, x.map((value, i) => `${across(value)} ${up(y[i])}`))),
    ].join("");
  }

  Object.assign(Playground, { drawLines, fit });
})();
