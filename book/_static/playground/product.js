// The product of two matrices: nearly all the time of training is spent here. WebAssembly computes four columns at
// once, which JavaScript cannot; its inner loop is written out below, instruction by instruction.
Playground.addPiece((P) => {
  "use strict";

  // The function `block` sums up 4 rows and 4 columns of a product. It is told where the rows a0 to a3 of the left
  // factor begin, the 4 columns of the right one, and their places in the product; how many bytes each is from the
  // next; and how many terms there are.
  const PARAMETERS = ["a0", "a1", "a2", "a3", "aStep", "b", "bStep", "out", "outStep", "count"];
  const SUMS = ["s0", "s1", "s2", "s3"];
  const locals = [...PARAMETERS, ...SUMS, "four"];

  const I32 = 0x7f, V128 = 0x7b; // types: an integer, and four float32 side by side
  const LOOP = [0x03, 0x40], REPEAT_IF = [0x0d, 0], END = 0x0b, ADD = 0x6a, MINUS_ONE = [0x41, 0x7f];
  const LOAD_FOUR = [0xfd, 0, 2, 0], LOAD_ONE_AS_FOUR = [0xfd, 9, 2, 0], STORE_FOUR = [0xfd, 11, 2, 0];
  const MULTIPLY_FOURS = [0xfd, 0xe6, 1], ADD_FOURS = [0xfd, 0xe4, 1];
  const get = (name) => [0x20, locals.indexOf(name)], set = (name) => [0x21, locals.indexOf(name)];
  const advance = (name, step) => [get(name), step, ADD, set(name)];

  // An instruction takes from a stack what those before it have put there.
  const instructions = [
    LOOP,
    get("b"), LOAD_FOUR, set("four"), advance("b", get("bStep")),
    SUMS.map((sum, i) => [
      get(`a${i}`), LOAD_ONE_AS_FOUR, get("four"), MULTIPLY_FOURS, get(sum), ADD_FOURS, set(sum),
      advance(`a${i}`, get("aStep")),
    ]),
    advance("count", MINUS_ONE), get("count"), REPEAT_IF,
    END,
    SUMS.map((sum) => [get("out"), get(sum), STORE_FOUR, advance("out", get("outStep"))]),
    END,
  ];

  const bytes = (...parts) => parts.flat(Infinity);
  const number = (n) => (n < 128 ? [n] : [128 + (n % 128), n >> 7]);
  const sized = (...parts) => bytes(number(bytes(parts).length), parts);
  const letters = (word) => [...word].map((letter) => letter.charCodeAt());
  const { memory, block } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes(
    letters("\0asm"), 1, 0, 0, 0,
    1, sized(1, 0x60, PARAMETERS.length, PARAMETERS.map(() => I32), 0), // a type: ten integers, no result
    3, sized(1, 0), // a function of that type
    5, sized(1, 0, 24), // a memory of 24 pages, 1.5 MB
    7, sized(2, sized(letters("memory")), 2, 0, sized(letters("block")), 0, 0), // both are exported
    10, sized(1, sized(1, locals.length - PARAMETERS.length, V128, instructions)),
  )))).exports;

  const MOST = 2 ** 17; // entries: 128 units, and 784 points of a decision boundary, have fewer
  const [left, right, product] = [0, 1, 2].map((i) => new Float32Array(memory.buffer, 4 * i * MOST, MOST));

  function transposed(copy, { rows, columns, values }) {
    for (let column = 0, to = 0; column < columns; column++) {
      for (let from = column; from < rows * columns; from += columns) copy[to++] = values[from];
    }
  }

  // out = a b; with "a", aᵀ b; with "b", a bᵀ. Beyond the last row it is taken again; what is beyond the last column
  // comes to lie between the rows of the product, and is left there.
  P.multiply = (out, a, b, turned = "") => {
    const inner = turned === "a" ? a.rows : a.columns;
    const [rowStep, aStep] = turned === "a" ? [4, 4 * a.columns] : [4 * a.columns, 4];
    const width = 4 * Math.ceil(out.columns / 4);
    left.set(a.values);
    if (turned === "b") transposed(right, b);
    else right.set(b.values);
    for (let row = 0; row < out.rows; row += 4) {
      const [a0, a1, a2, a3] = [0, 1, 2, 3].map((i) => Math.min(row + i, out.rows - 1) * rowStep);
      for (let column = 0; column < width; column += 4) {
        const from = right.byteOffset + 4 * column, to = product.byteOffset + 4 * (row * width + column);
        block(a0, a1, a2, a3, aStep, from, 4 * out.columns, to, 4 * width, inner);
      }
    }
    for (let row = 0; row < out.rows; row++) {
      out.values.set(product.subarray(row * width, row * width + out.columns), row * out.columns);
    }
  };
});
