//! A `main` may return what a plain one may.

#[molen::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let task = molen::create_task(async { 3 })?;
    assert_eq!(task.await?, 3);
    Ok(())
}
