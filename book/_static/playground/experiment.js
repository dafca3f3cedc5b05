// An experiment is two networks, A and B: a choice for each field. In the page's address a field stands once,
// as `depth=30`, or, where the networks differ, with both values, as `initializer=glorot,he`.
(() => {
  "use strict";
  const { engine } = Playground;

  const BASE = {
    initializer: "he", std: 0.1, activation: "relu", depth: 30, width: 32, kind: "plain", norm: "none",
    lr: 0.003, optimizer: "momentum", data: "digits", batch: 50, seed: 1,
  };
  const beside = (both, a, b) => ({ a: { ...BASE, ...both, ...a }, b: { ...BASE, ...both, ...b } });
  const initializers = (both, a, b) => beside(both, { initializer: a }, { initializer: b });
  const eight = { activation: "tanh", depth: 8, lr: 0.01 };

  // The stories of the book. The page's text tells each of them below the same name.
  const FIRST = "thirty-layers";
  const PRESETS = {
    "thirty-layers": initializers({}, "glorot", "he"),
    "all-equal": initializers({ activation: "tanh", depth: 2, width: 64, lr: 0.01 }, "constant", "normal"),
    "all-zeros": initializers({ depth: 3, width: 64, lr: 0.01 }, "zeros", "he"),
    "too-small": initializers({ ...eight, std: 0.01 }, "normal", "glorot"),
    "too-large": initializers({ ...eight, std: 1 }, "normal", "glorot"),
    orthogonal: initializers({ activation: "linear", depth: 50 }, "lecun", "orthogonal"),
    "residual-sums": beside({ depth: 50, lr: 0.01 }, { kind: "residual", initializer: "he" }, { kind: "fixup", initializer: "fixup" }),
    measured: initializers({ activation: "gelu", depth: 20 }, "glorot", "lsuv"),
    normalized: beside({ depth: 10, initializer: "normal", std: 0.01, lr: 0.01 }, { norm: "none" }, { norm: "batch" }),
    "two-spirals": initializers({ data: "spirals", activation: "tanh", depth: 6, std: 0.05, lr: 0.03 }, "normal", "glorot"),
  };

  // The choice that a text names, or undefined where it names none.
  function choice(name, text) {
    const value = typeof BASE[name] === "number" && text.trim() ? Number(text) : text;
    return engine.faultIn(name, value) ? undefined : value;
  }

  function read(hash) {
    const { a, b } = structuredClone(PRESETS[FIRST]);
    for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
      const [forA, forB = forA, ...more] = text.split(",").map((part) => choice(name, part));
      if (forA === undefined || forB === undefined || more.length) throw new RangeError(`${name}=${text}`);
      a[name] = forA;
      b[name] = forB;
    }
    return { a, b };
  }

  const write = ({ a, b }) =>
    "#" + Object.keys(BASE).map((name) => `${name}=${a[name]}${a[name] === b[name] ? "" : `,${b[name]}`}`).join("&");

  Object.assign(Playground, { FIRST, PRESETS, read, write });
})();
