// Matrices, row by row in float32, as in netinit and on a GPU: what overflows there overflows here.
Playground.addPiece((P) => {
  "use strict";

  P.matrix = (rows, columns) => ({ rows, columns, values: new Float32Array(rows * columns) });

  P.fill = (matrix, value) => {
    for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = value(i);
    return matrix;
  };

  P.sum = (values) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i];
    return sum;
  };

  P.dot = (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };

  // A matrix for the next result: the one of the last result where it fits, so that a step makes none anew.
  P.room = (last, rows, columns) =>
    last?.rows === rows && last.columns === columns ? last : P.matrix(rows, columns);

  P.rowsOf = ({ columns, values }, start, end) => ({
    rows: end - start, columns, values: values.subarray(start * columns, end * columns),
  });

  P.pickRows = (matrix, indices) => {
    const picked = P.matrix(indices.length, matrix.columns);
    indices.forEach((index, row) => picked.values.set(P.rowsOf(matrix, index, index + 1).values, row * matrix.columns));
    return picked;
  };
});
