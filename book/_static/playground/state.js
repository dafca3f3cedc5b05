// An experiment is two networks, A and B: a choice for each field. In the page's address a field stands once,
// as `depth=30`, or, where the networks differ, with both values, as `initializer=glorot,he`.
globalThis.Playground ??= {};
(() => {
  "use strict";

  const rounded = (number) => Number(number.toPrecision(2));
  const steps = [1, 1.5, 2, 3, 4, 6, 8];
  const decades = (first, last) => [
    ...Array.from({ length: last - first }, (_, i) => steps.map((step) => rounded(step * 10 ** (first + i)))).flat(),
    10 ** last,
  ];
  const upTo = (last) => Array.from({ length: last }, (_, i) => i + 1);

  // A field has options (a menu) or values (the positions of a slider; anything between is a choice too).
  const FIELDS = {
    initializer: {
      label: "Initializer",
      options: {
        zeros: "all zeros", constant: "all equal", normal: "normal", lecun: "LeCun", glorot: "Glorot",
        he: "He", orthogonal: "orthogonal", lsuv: "LSUV", fixup: "Fixup",
      },
    },
    std: { label: "Std", values: decades(-4, 1) },
    activation: {
      label: "Activation",
      options: { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid", gelu: "GELU", linear: "none (linear)" },
    },
    depth: { label: "Layers", values: upTo(50), whole: true },
    width: { label: "Width", values: [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128], whole: true },
    kind: {
      label: "Structure",
      options: { plain: "plain", residual: "residual", fixup: "residual, Fixup's scalars" },
    },
    norm: { label: "Normalization", options: { none: "none", batch: "batch", layer: "layer" } },
    lr: { label: "Learning rate", values: decades(-4, 1) },
    optimizer: { label: "Optimizer", options: { sgd: "SGD", momentum: "momentum", adam: "Adam" } },
    data: { label: "Data", options: { spirals: "spirals", circles: "circles", digits: "digits" } },
    batch: { label: "Batch", values: [5, 10, 20, 50, 100, 200], whole: true },
    seed: { label: "Seed", values: upTo(100), whole: true },
  };
  const SHARED = ["data", "batch", "seed"]; // one switch keeps these the same on both sides

  // The choice that a text names, or undefined where it names none.
  function choice({ options, values, whole }, text) {
    if (options) return Object.hasOwn(options, text) ? text : undefined;
    const number = text.trim() === "" ? NaN : Number(text);
    const allowed = number >= values[0] && number <= values.at(-1) && (!whole || Number.isInteger(number));
    return allowed ? number : undefined;
  }

  function read(hash) {
    const { a, b } = structuredClone(Playground.PRESETS[Playground.FIRST]);
    for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
      const pair = text.split(",");
      const [forA, forB = forA] = pair.map((part) => Object.hasOwn(FIELDS, name) ? choice(FIELDS[name], part) : undefined);
      if (pair.length > 2 || forA === undefined || forB === undefined) throw new RangeError(`${name}=${text}`);
      a[name] = forA;
      b[name] = forB;
    }
    return { a, b };
  }

  const write = ({ a, b }) =>
    "#" + Object.keys(FIELDS).map((name) => `${name}=${a[name]}${a[name] === b[name] ? "" : `,${b[name]}`}`).join("&");

  Object.assign(Playground, { FIELDS, SHARED, read, write });
})();
