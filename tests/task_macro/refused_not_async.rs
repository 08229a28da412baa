#[molen::task]
fn not_async() {}

fn main() {}
