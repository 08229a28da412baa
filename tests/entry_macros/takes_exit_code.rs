//! A `main` may return what a plain one may.

#[molen::main]
async fn main() -> std::process::ExitCode {
    molen::yield_now().await;
    std::process::ExitCode::SUCCESS
}
