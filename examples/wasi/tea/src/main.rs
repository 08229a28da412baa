//! Makes tea: a program with std, as it would be written for a desktop.
//!
//! ```text
//! cargo build --release --target wasm32-wasip1 -p tea   # or wasm32-wasip2
//! wasmtime run target/wasm32-wasip1/release/tea.wasm
//! CARGO_TARGET_WASM32_WASIP1_RUNNER="wasmtime run" cargo test --target wasm32-wasip1 -p tea
//! ```

use molen::{Cancelled, Duration, catch_cancel, create_task, sleep};

/// Brews for a minute, or as long as one has patience.
async fn brew() -> Result<&'static str, Cancelled> {
    catch_cancel(sleep(Duration::from_secs(60))).await?;
    Ok("tea")
}

#[molen::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    create_task(async {
        let brewed = brew().await;
        sleep(Duration::from_millis(1)).await;
        println!("{}", if brewed.is_ok() { "another pot" } else { "the pot is cleaned" });
    })?
    .detach();
    let tea = create_task(async {
        sleep(Duration::from_millis(10)).await;
        "tea"
    })?;
    println!("the kettle is on");
    println!("{} is ready", tea.await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use molen::get_running_loop;

    #[molen::test(clock = "manual")]
    async fn brewing_takes_a_minute() -> Result<(), Box<dyn std::error::Error>> {
        let before = get_running_loop()?.time();
        assert_eq!(brew().await.ok(), Some("tea"));
        assert_eq!(get_running_loop()?.time().saturating_since(before), Duration::from_secs(60));
        Ok(())
    }

    #[molen::test]
    async fn the_clock_of_the_host_goes_on() {
        let before = std::time::Instant::now();
        sleep(Duration::from_millis(2)).await;
        assert!(before.elapsed() >= Duration::from_millis(2));
    }

    #[molen::test]
    async fn each_test_has_a_loop_of_its_own() {
        sleep(Duration::from_millis(1)).await;
    }
}
