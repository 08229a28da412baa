#[molen::task]
async fn generic<T: Copy + 'static>(_value: T) {}

fn main() {}
