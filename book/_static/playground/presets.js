// The stories of the book as experiments. The page's text tells each of them below the same name.
globalThis.Playground ??= {};
(() => {
  "use strict";

  const BASE = {
    initializer: "he", std: 0.1, activation: "relu", depth: 30, width: 64, kind: "plain", norm: "none",
    lr: 0.01, optimizer: "momentum", data: "digits", batch: 50, seed: 1,
  };
  const beside = (both, a, b) => ({ a: { ...BASE, ...both, ...a }, b: { ...BASE, ...both, ...b } });

  Playground.FIRST = "thirty-layers";
  Playground.PRESETS = {
    "thirty-layers": beside({}, { initializer: "glorot" }, { initializer: "he" }),
    "all-equal": beside({ activation: "tanh", depth: 2, std: 0.1 }, { initializer: "constant" }, { initializer: "normal" }),
    "all-zeros": beside({ depth: 3 }, { initializer: "zeros" }, { initializer: "he" }),
    "too-small": beside({ activation: "tanh", depth: 8, std: 0.01 }, { initializer: "normal" }, { initializer: "glorot" }),
    "too-large": beside({ activation: "tanh", depth: 8, std: 1 }, { initializer: "normal" }, { initializer: "glorot" }),
    orthogonal: beside({ activation: "linear", depth: 50 }, { initializer: "lecun" }, { initializer: "orthogonal" }),
    "residual-sums": beside({ depth: 50 }, { kind: "residual", initializer: "he" }, { kind: "fixup", initializer: "fixup" }),
    measured: beside({ activation: "sigmoid", depth: 10 }, { initializer: "glorot" }, { initializer: "lsuv" }),
    normalized: beside({ initializer: "normal", std: 0.01 }, { norm: "none" }, { norm: "batch" }),
  };
})();
