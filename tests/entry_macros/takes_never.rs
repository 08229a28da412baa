//! A `main` may never return.

#[molen::main]
async fn main() -> ! {
    molen::yield_now().await;
    std::process::exit(0)
}
