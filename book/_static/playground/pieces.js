// The engine is made of pieces, one file an idea. Each is one function that adds what it defines to the object
// it is given. The page runs it at once, on `Playground.engine`; the worker runs the same source on an object of
// its own (worker.js). Modules and worker files would be the usual way, but no browser loads them from file://.
globalThis.Playground ??= {};
Playground.engine = {};
Playground.pieces = [];

Playground.addPiece = (piece) => {
  Playground.pieces.push(piece);
  piece(Playground.engine);
};
