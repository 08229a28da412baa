//! A loop that can be seen from outside: its tasks by `molen-ps` and Ctrl-\, and all that it does in a file for
//! ui.perfetto.dev.
//!
//! ```text
//! cargo run -p molen-std --features ps --example observed -- trace.json
//! cargo run -p molen-std --features ps --bin molen-ps -- --tree PID
//! ```

use molen_core::{Duration, create_task, sleep};
use molen_std::introspect;
use molen_std::trace::TraceFile;
use std::error::Error;

/// Works a little, again and again.
async fn fetch(pause: Duration) {
    for _ in 0..200 {
        sleep(pause).await;
    }
}

/// Waits for two others.
async fn fetch_both() -> Result<(), Box<dyn Error>> {
    let (mut fast, mut slow) = (
        create_task(fetch(Duration::from_millis(20)))?,
        create_task(fetch(Duration::from_millis(150)))?,
    );
    fast.set_name("fast")?;
    slow.set_name("slow")?;
    (&mut slow).await?;
    (&mut fast).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "trace.json".to_owned());
    if path.starts_with('-') {
        return Err(format!("{path} is no name of a file; usage: observed [trace.json]").into());
    }
    let file: &'static TraceFile = Box::leak(Box::new(TraceFile::create(&path)?));
    let event_loop = molen_std::new_event_loop()?;
    event_loop.set_tracer(Some(file));
    event_loop.run_until_complete(async {
        introspect::serve()?;
        #[cfg(unix)]
        introspect::dump_on_quit()?;
        println!("process {} runs for half a minute and writes {path}", std::process::id());
        let both = create_task(fetch_both())?;
        both.set_name("fetch both")?;
        both.await?
    })??;
    event_loop.close()?;
    println!("{}", event_loop.counters());
    Ok(file.flush()?)
}
