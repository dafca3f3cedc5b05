// What a configuration may be. A refusal is one sentence that names the field, for the page to show.
Playground.addPiece((P) => {
  "use strict";

  // Each says what is wrong with a value, or null.
  const oneOf = (...names) => (value) => (names.includes(value) ? null : `must be one of ${names.join(", ")}`);
  const integer = (least, most) => (value) =>
    Number.isInteger(value) && value >= least && value <= most ? null : `must be a whole number from ${least} to ${most}`;
  const number = (value) => (Number.isFinite(value) && value >= 0 ? null : "must be a number of at least 0");

  const FIELDS = {
    data: oneOf("spirals", "circles", "digits"),
    activation: oneOf(...Object.keys(P.activations)),
    depth: integer(1, 50),
    width: integer(2, 128),
    kind: oneOf("plain", "residual", "fixup"),
    norm: oneOf("none", "batch", "layer"),
    initializer: oneOf(...Object.keys(P.initializers)),
    std: number,
    lr: number,
    optimizer: oneOf(...Object.keys(P.rules)),
    batch: integer(1, 400), // the examples of the smallest training split
    seed: integer(0, 2 ** 31 - 1),
  };

  P.faultIn = (field, value) => (Object.hasOwn(FIELDS, field) ? FIELDS[field](value) : "is no field");

  // Fields are each allowed, but not always together.
  function faultTogether({ initializer, kind, norm, batch }) {
    if (initializer === "fixup" && kind === "plain") {
      return "initializer must not be fixup in a plain network: Fixup scales residual branches.";
    }
    if (kind === "fixup" && norm !== "none") return "norm must be none with Fixup's scalars, which take its place.";
    if (norm === "batch" && batch < 2) {
      return "batch must be at least 2 with batch normalization: one example has no variance.";
    }
    return null;
  }

  P.check = (config) => {
    for (const field of Object.keys(FIELDS)) {
      const fault = P.faultIn(field, config[field]);
      if (fault) throw new RangeError(`${field} ${fault}, not ${config[field]}.`);
    }
    const fault = faultTogether(config);
    if (fault) throw new RangeError(fault);
  };
});
