// The pictures of one network: a ridge of its layers' histograms, and what it learned, as pixels.
(() => {
  "use strict";
  const { format } = Playground;

  const isFinite = ({ rms }) => Number.isFinite(rms);

  // The outline of one histogram above its base line. Heights are square roots relative to the second highest bin,
  // so that the rest shows beside the zeros of a ReLU, which all fall into one.
  function outline({ low, high, counts }, base, height, across, { left, right }) {
    const second = [...counts].sort((one, other) => other - one)[1] || 1, width = (high - low) / counts.length;
    const points = counts.map((count, i) => {
      const y = (base - height * Math.sqrt(Math.min(count / second, 1))).toFixed(1);
      return `${across(low + i * width)} ${y} ${across(low + (i + 1) * width)} ${y}`;
    });
    return `<path class="ridge" d="M${left} ${base}H${across(low)}L${points.join(" ")} ${across(high)} ${base}H${right}"/>`;
  }

  // The range of all histograms, as a function from a value to its place; 0 is always in it.
  function scaleOf(histograms, { left, right }) {
    const low = Math.min(0, ...histograms.map((each) => each.low)), high = Math.max(0, ...histograms.map((each) => each.high));
    const across = (value) => (left + ((right - left) * (value - low)) / (high - low || 1)).toFixed(1);
    const left0 = low > -0.02 * high, inside0 = low < -0.3 * high && high > -0.3 * low; // where 0 is, and has room for its mark
    const ends = [[left0 ? 0 : low, "x0"], ...(inside0 ? [[0, "middle"]] : []), [high, "x1"]];
    return { across, ends };
  }

  function drawRidge(svg, layers) {
    const plot = Playground.plotOf(svg), { left, right, top, bottom } = plot;
    const { across, ends } = scaleOf(layers.filter(isFinite).map((layer) => layer.histogram), plot);
    const rows = layers.length, height = Math.min((3 * (bottom - top)) / (rows + 2), 50);
    const labeled = [0, Math.floor((rows - 1) / 2), rows - 1];
    const shapes = layers.map((layer, i) => {
      const base = (top + height + ((bottom - top - height) * i) / Math.max(rows - 1, 1)).toFixed(1);
      const label = labeled.includes(i) ? `<text class="y" x="${left - 5}" y="${base}">${i + 1}</text>` : "";
      return label + (isFinite(layer) ? outline(layer.histogram, base, height, across, plot) : `<path class="reference" d="M${left} ${base}H${right}"/>`);
    });
    const axis = ends.map(([value, name]) => `<text class="${name}" x="${across(value)}" y="${plot.foot}">${format(value)}</text>`);
    svg.innerHTML = shapes.join("") + axis.join("");
  }

  const gray = (value) => Array(3).fill(Math.round(127.5 * (1 + value)));
  const mix = (color, share) => color.map((part) => Math.round(247 + share * (part - 247)));
  const PURPLE = [118, 42, 131], GREEN = [0, 110, 45];
  const purpleToGreen = (value) => mix(value < 0 ? PURPLE : GREEN, 0.7 * Math.abs(value));

  // Write values from -1 to 1 into an image, row by row, a pixel each; what is not finite stays empty.
  function paint(image, values, columns, color, left = 0, top = 0) {
    values.forEach((value, i) => {
      const pixel = (top + Math.floor(i / columns)) * image.width + left + (i % columns);
      if (Number.isFinite(value)) image.data.set([...color(value), 255], 4 * pixel);
    });
  }

  // What the network answers on a grid, from purple for one class to green for the other, and its training examples.
  function drawBoundary(canvas, { size, low, high, probability }, { x, labels }) {
    const cell = 10, image = new ImageData(size, size), small = new OffscreenCanvas(size, size);
    paint(image, probability.map((each) => 2 * each - 1), size, purpleToGreen);
    small.getContext("2d").putImageData(image, 0, 0);
    canvas.width = canvas.height = cell * size; // this empties it, too
    const context = canvas.getContext("2d"), place = (value) => cell * (((size - 1) * (value - low)) / (high - low) + 0.5);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    labels.forEach((label, i) => {
      const [across, down] = label ? [4, 9] : [9, 4];
      context.fillStyle = `rgb(${label ? GREEN : PURPLE})`;
      context.fillRect(place(x.values[2 * i]) - across / 2, place(-x.values[2 * i + 1]) - down / 2, across, down);
    });
  }

  // The units of the first layer in rows of four, one scale for all.
  function drawFirstLayer(canvas, images) {
    const side = 8, all = new ImageData(4 * (side + 1) - 1, 4 * (side + 1) - 1);
    const largest = Math.max(...images.map((image) => Math.max(...image.map(Math.abs)))) || 1;
    images.forEach((image, i) => {
      const left = (i % 4) * (side + 1), top = Math.floor(i / 4) * (side + 1);
      paint(all, image.map((weight) => weight / largest), side, gray, left, top);
    });
    [canvas.width, canvas.height] = [all.width, all.height];
    canvas.getContext("2d").putImageData(all, 0, 0);
  }

  Object.assign(Playground, { drawRidge, drawBoundary, drawFirstLayer });
})();
