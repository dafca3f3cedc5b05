// Matrices, row by row in float32, and their product: nearly all the time of training is spent here.
Playground.addPiece((P) => {
  "use strict";

  // float32 as in netinit and on a GPU: what overflows there overflows here.
  P.matrix = (rows, columns) => ({ rows, columns, values: new Float32Array(rows * columns) });

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

  // The product works on copies: 3 rows and 3 columns at a time, so 9 sums and the 6 factors that they share
  // fit the 16 registers of a processor; in float64, the only number that JavaScript computes with.
  const BLOCK = 3;
  const sums = new Float64Array(BLOCK * BLOCK);
  let left = new Float64Array(0);
  let right = new Float64Array(0);

  const blocks = (count) => BLOCK * Math.ceil(count / BLOCK);
  const grown = (copy, size) => (copy.length < size ? new Float64Array(size) : copy);

  // The rows of a matrix one after the other, or its columns; zeros fill the last block.
  function pack(copy, { rows, columns, values }, byColumns) {
    if (!byColumns) {
      copy.set(values);
      copy.fill(0, rows * columns, blocks(rows) * columns);
      return;
    }
    for (let column = 0, to = 0; column < columns; column++) {
      for (let from = column; from < rows * columns; from += columns) copy[to++] = values[from];
    }
    copy.fill(0, rows * columns, rows * blocks(columns));
  }

  // The inner products of 3 rows of `left`, from index i on, with 3 rows of `right`, from j on.
  function multiplyBlock(a, b, i, j, inner) {
    let s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
    const i1 = i + inner, i2 = i1 + inner, j1 = j + inner, j2 = j1 + inner;
    for (let k = 0; k < inner; k++) {
      const a0 = a[i + k], a1 = a[i1 + k], a2 = a[i2 + k];
      const b0 = b[j + k], b1 = b[j1 + k], b2 = b[j2 + k];
      s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2;
      s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2;
      s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2;
    }
    sums[0] = s00; sums[1] = s01; sums[2] = s02;
    sums[3] = s10; sums[4] = s11; sums[5] = s12;
    sums[6] = s20; sums[7] = s21; sums[8] = s22;
  }

  // What the last block has beyond the edge is left out.
  function writeBlock({ rows, columns, values }, row, column) {
    const height = Math.min(BLOCK, rows - row), width = Math.min(BLOCK, columns - column);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) values[(row + r) * columns + column + c] = sums[BLOCK * r + c];
    }
  }

  // out = a b; with a transposed, aᵀ b; with b transposed, a bᵀ.
  P.multiply = (out, a, b, transposed = "") => {
    const inner = transposed === "a" ? a.rows : a.columns;
    left = grown(left, blocks(out.rows) * inner);
    right = grown(right, blocks(out.columns) * inner);
    pack(left, a, transposed === "a");
    pack(right, b, transposed !== "b");
    for (let row = 0; row < out.rows; row += BLOCK) {
      for (let column = 0; column < out.columns; column += BLOCK) {
        multiplyBlock(left, right, row * inner, column * inner, inner);
        writeBlock(out, row, column);
      }
    }
  };
});
