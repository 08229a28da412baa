#[molen::task(stack = 512)]
async fn stacked() {}

fn main() {}
