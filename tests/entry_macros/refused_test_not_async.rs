#[molen::test]
fn test() {}

fn main() {}
