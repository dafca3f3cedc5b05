// Matrices, row by row in float32, and their product: nearly all the time of training is spent here.
Playground.addPiece((P) => {
  "use strict";

  // float32 as in netinit and on a GPU: what overflows there overflows here.
  P.matrix = (rows, columns) => ({ rows, columns, values: new Float32Array(rows * columns) });

  P.fill = (matrix, value) => {
    for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = value(i);
    return matrix;
  };

  P.sum = ({ values }, term) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += term(values[i], i);
    return sum;
  };

  // A matrix for the next result: in the memory of the last one where it fits, for batches come and go.
  P.room = (last, rows, columns) => {
    if (last && last.rows === rows && last.columns === columns) return last;
    const size = rows * columns;
    if (!last || last.values.buffer.byteLength < size * Float32Array.BYTES_PER_ELEMENT) return P.matrix(rows, columns);
    return { rows, columns, values: new Float32Array(last.values.buffer, 0, size) };
  };

  P.rowsOf = (matrix, start, end) => {
    const { columns, values } = matrix;
    return { rows: end - start, columns, values: values.subarray(start * columns, end * columns) };
  };

  P.pickRows = (matrix, indices) => {
    const { columns, values } = matrix;
    const picked = P.matrix(indices.length, columns);
    indices.forEach((index, row) => {
      picked.values.set(values.subarray(index * columns, (index + 1) * columns), row * columns);
    });
    return picked;
  };

  // The product works on copies, 4 rows of one and 2 of the other at a time: 8 sums and the 6 factors which they
  // share fit the 16 registers of a processor. In float64, which is what JavaScript computes with.
  const HEIGHT = 4, WIDTH = 2;
  const MOST = 2 ** 16; // entries: 128 units, and 400 examples, the largest batch, have fewer
  const left = new Float64Array(MOST), right = new Float64Array(MOST), product = new Float64Array(MOST);

  const padded = (count, block) => block * Math.ceil(count / block);

  // The rows of a matrix one after the other, or its columns.
  function pack(copy, { rows, columns, values }, byColumns) {
    if (!byColumns) copy.set(values);
    else {
      for (let column = 0, to = 0; column < columns; column++) {
        for (let from = column; from < rows * columns; from += columns) copy[to++] = values[from];
      }
    }
  }

  // The inner products of 4 rows of `left`, from index i on, with 2 rows of `right`, from j on.
  function multiplyBlock(a, b, i, j, inner, out, at, columns) {
    let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
    const i1 = i + inner, i2 = i1 + inner, i3 = i2 + inner, j1 = j + inner;
    for (let k = 0; k < inner; k++) {
      const a0 = a[i + k], a1 = a[i1 + k], a2 = a[i2 + k], a3 = a[i3 + k], b0 = b[j + k], b1 = b[j1 + k];
      s00 += a0 * b0; s01 += a0 * b1;
      s10 += a1 * b0; s11 += a1 * b1;
      s20 += a2 * b0; s21 += a2 * b1;
      s30 += a3 * b0; s31 += a3 * b1;
    }
    out[at] = s00; out[at + 1] = s01; at += columns;
    out[at] = s10; out[at + 1] = s11; at += columns;
    out[at] = s20; out[at + 1] = s21; at += columns;
    out[at] = s30; out[at + 1] = s31;
  }

  // The product without what the last blocks have beyond its edges, which older products have left.
  function unpack({ rows, columns, values }, width) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) values[row * columns + column] = product[row * width + column];
    }
  }

  // out = a b; with a transposed, aᵀ b; with b transposed, a bᵀ.
  P.multiply = (out, a, b, transposed = "") => {
    const inner = transposed === "a" ? a.rows : a.columns;
    const height = padded(out.rows, HEIGHT), width = padded(out.columns, WIDTH);
    pack(left, a, transposed === "a");
    pack(right, b, transposed !== "b");
    for (let row = 0; row < height; row += HEIGHT) {
      for (let column = 0; column < width; column += WIDTH) {
        multiplyBlock(left, right, row * inner, column * inner, inner, product, row * width + column, width);
      }
    }
    unpack(out, width);
  };
});
