#[molen::main(loop_factory = || 3)]
async fn main() {}
