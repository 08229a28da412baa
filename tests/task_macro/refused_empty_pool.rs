#[molen::task(pool_size = 0)]
async fn nobody() {}

fn main() {}
