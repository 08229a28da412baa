#[molen::task]
async fn borrowing(text: &str) -> usize {
    text.len()
}

fn main() {}
