#[molen::test(clock = "sundial")]
async fn test() {}

fn main() {}
