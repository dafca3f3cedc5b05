// What a configuration may be. A refusal is one sentence that names the field, for the page to show.
Playground.addPiece((P) => {
  "use strict";

  const oneOf = (...names) => (value) => (names.includes(value) ? null : `must be one of ${names.join(", ")}`);
  const integer = (least, most) => (value) =>
    Number.isInteger(value) && value >= least && value <= most ? null : `must be a whole number from ${least} to ${most}`;
  const number = (least) => (value) =>
    Number.isFinite(value) && value >= least ? null : `must be a number of at least ${least}`;

  const FIELDS = {
    data: oneOf("spirals", "circles", "digits"),
    activation: oneOf(...Object.keys(P.activations)),
    depth: integer(1, 50),
    width: integer(2, 128),
    kind: oneOf("plain", "residual", "fixup"),
    norm: oneOf("none", "batch", "layer"),
    initializer: oneOf(...Object.keys(P.initializers)),
    std: number(0),
    lr: number(0),
    optimizer: oneOf(...Object.keys(P.rules)),
    batch: integer(1, 400), // the examples of the smallest training split
    seed: integer(0, 2 ** 31 - 1),
  };

  // Fields that are each allowed, but not together.
  const TOGETHER = [
    {
      holds: ({ initializer, kind }) => initializer === "fixup" && kind === "plain",
      sentence: "initializer must not be fixup in a plain network: Fixup scales residual branches.",
    },
    {
      holds: ({ kind, norm }) => kind === "fixup" && norm !== "none",
      sentence: "norm must be none with Fixup's scalars, which take its place.",
    },
    {
      holds: ({ norm, batch }) => norm === "batch" && batch < 2,
      sentence: "batch must be at least 2 with batch normalization: one example has no variance.",
    },
  ];

  P.check = (config) => {
    for (const [field, fault] of Object.entries(FIELDS)) {
      const allowed = fault(config[field]);
      if (allowed) throw new RangeError(`${field} ${allowed}, not ${config[field]}.`);
    }
    for (const { holds, sentence } of TOGETHER) if (holds(config)) throw new RangeError(sentence);
  };
});
