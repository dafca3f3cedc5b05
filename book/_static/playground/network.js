// Networks: layers one after the other, residual blocks, and the loss. Built as netinit's `mlp` and
// `residual_mlp` build them, so that a weight has the same path, such as "1.branch.1.weight".
Playground.addPiece((P) => {
  "use strict";

  P.Sequential = class extends P.Layer {
    constructor(layers) {
      super();
      this.layers = layers;
      this.children = layers.map((layer, i) => [String(i), layer]);
    }

    forward(x, mode) {
      return this.layers.reduce((signal, layer) => layer.forward(signal, mode), x);
    }

    backward(dy) {
      return this.layers.reduceRight((gradient, layer) => {
        layer.dy = gradient; // for the pictures
        return layer.backward(gradient);
      }, dy);
    }
  };

  P.Residual = class extends P.Layer {
    constructor(branch) {
      super();
      this.branch = branch;
      this.children = [["branch", branch]];
    }

    fillOutput(y, x, mode) {
      add(y.values, x.values, this.branch.forward(x, mode).values);
    }

    fillGradient(dx, dy) {
      add(dx.values, dy.values, this.branch.backward(dy).values);
    }
  };

  function add(sum, a, b) {
    for (let i = 0; i < sum.length; i++) sum[i] = a[i] + b[i];
  }

  // The path and the layer of all that a layer holds, itself included, in the order of execution.
  P.namedLayers = (layer, path = "") => [
    [path, layer],
    ...layer.children.flatMap(([name, child]) => P.namedLayers(child, path ? `${path}.${name}` : name)),
  ];

  P.namedParameters = (network) =>
    P.namedLayers(network).flatMap(([path, layer]) =>
      Object.entries(layer.parameters).map(([name, parameter]) => [`${path}.${name}`, parameter]));

  P.layersOf = (network, kind) =>
    P.namedLayers(network).map(([, layer]) => layer).filter((layer) => layer instanceof kind);

  const NORMS = {
    none: () => [],
    batch: (units) => [new P.Normalization(units, true)],
    layer: (units) => [new P.Normalization(units, false)],
  };

  // A network comes as its parts, which are what the pictures show: hidden layers or residual blocks, and the
  // output. A part has a name and layers.
  function plainParts({ depth, width, norm, activation }, inputs, classes) {
    const hidden = Array.from({ length: depth }, (_, i) => ({
      name: `layer ${i + 1}`,
      layers: [new P.Linear(i ? width : inputs, width), ...NORMS[norm](width), new P.Activation(activation)],
    }));
    return [...hidden, { name: "output", layers: [new P.Linear(width, classes)] }];
  }

  // A branch has two weights, so `depth` weights make half as many blocks. Normalization comes before each
  // activation (He et al. 2016b): the skip path stays a plain sum.
  function residualParts({ depth, width, norm, activation, kind }, inputs, classes) {
    const fixup = kind === "fixup";
    const scalarBias = () => (fixup ? [new P.Scalar("bias")] : []);
    const active = () => [...scalarBias(), ...NORMS[norm](width), new P.Activation(activation), ...scalarBias()];
    const half = () => [...active(), new P.Linear(width, width, { bias: !fixup })];
    const branch = () => new P.Sequential([...half(), ...half(), ...(fixup ? [new P.Scalar("scale")] : [])]);
    const blocks = Array.from({ length: Math.ceil(depth / 2) }, (_, i) => ({
      name: `block ${i + 1}`,
      layers: [new P.Residual(branch())],
    }));
    return [
      { name: "input", layers: [new P.Linear(inputs, width)] },
      ...blocks,
      { name: "output", layers: [...active(), new P.Linear(width, classes)] },
    ];
  }

  P.buildNetwork = (config, inputs, classes) => {
    const parts = (config.kind === "plain" ? plainParts : residualParts)(config, inputs, classes);
    const network = new P.Sequential(parts.flatMap((part) => part.layers));
    network.parts = parts;
    return network;
  };

  // Mean cross-entropy of softmax(logits), and its gradient in the logits, (softmax - one-hot) / batch. The
  // largest logit of a row is subtracted first, so finite logits give a finite loss.
  P.crossEntropy = ({ rows, columns, values }, labels) => {
    const gradient = P.matrix(rows, columns);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const logits = values.subarray(row * columns, (row + 1) * columns);
      const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
      const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
      const total = exponentials.reduce((sum, value) => sum + value, 0);
      loss += (Math.log(total) + largest - logits[labels[row]]) / rows;
      exponentials.forEach((value, column) => {
        gradient.values[row * columns + column] = (value / total - (column === labels[row])) / rows;
      });
    }
    return { loss, gradient };
  };
});
