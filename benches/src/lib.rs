//! Holds no code of its own; the benches lie beside this folder, in `benches/`.
