//! A `main` may run on a loop of its own making.

use molen::LoopRef;
use molen::testing::TestBackend;
use std::rc::Rc;

fn factory() -> Result<LoopRef, molen::Error> {
    let backend: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
    Ok(LoopRef::new(Rc::new(backend)))
}

#[molen::main(loop_factory = factory)]
async fn main() {
    molen::sleep(molen::Duration::from_secs(3600)).await;
}
