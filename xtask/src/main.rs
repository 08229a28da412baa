//! Developer tasks of Molen.
fn main() {}
