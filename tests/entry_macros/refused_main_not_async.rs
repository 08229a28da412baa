#[molen::main]
fn main() {}
