#[molen::test]
async fn real(backend: &'static molen::testing::TestBackend) {}

#[molen::test(clock = "manual")]
async fn manual(backend: &'static molen::testing::TestBackend, more: u8) {}

fn main() {}
