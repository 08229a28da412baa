#[molen::main]
async fn main<T>() {}
