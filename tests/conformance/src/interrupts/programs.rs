//! What is interrupted: programs on their process's main thread, which press
//! Ctrl-C themselves.

use crate::case::{Failure, Outcome};
use crate::real::ok;
use molen::signals::{Signal, SignalEventLoop};
use molen::{Duration, Event, catch_cancel, get_running_loop, sleep};
use std::println;
use std::rc::Rc;

const LONG: Duration = Duration::from_secs(60);

/// Has this process get what Ctrl-C sends.
#[cfg(unix)]
pub(crate) async fn interrupt_self() -> Outcome {
    let sender = molen::subprocess::create_subprocess_shell("kill -INT $PPID");
    ok(ok(sender.await)?.wait().await)?;
    Ok(())
}

/// Has all programs of this console, this one among them, get a Ctrl-C.
#[cfg(windows)]
pub(crate) async fn interrupt_self() -> Outcome {
    use molen::subprocess::{OnDrop, create_subprocess_exec};
    let mut command = crate::subprocesses::program(&["sleep"])?;
    let other = ok(create_subprocess_exec(command.on_drop(OnDrop::Kill)).await)?;
    ok(other.send_signal(Signal::INT))
}

/// Presses, and waits for what comes of it.
async fn pressing() -> bool {
    let pressed = interrupt_self().await.is_ok();
    sleep(LONG).await;
    pressed
}

fn show<T: core::fmt::Debug>(result: Result<T, molen::Error>) {
    match result {
        Ok(value) => println!("value {value:?}"),
        Err(error) if error.is_interrupted() => println!("interrupted"),
        Err(error) => println!("error {error}"),
    }
}

/// Runs the program `name`; `None` if there is none.
pub(crate) fn run(name: &str) -> Option<Outcome> {
    match name {
        "interrupted" => show(molen::run(async {
            if let Err(cancelled) = catch_cancel(pressing()).await {
                sleep(Duration::from_millis(1)).await;
                println!("cleaned up");
                cancelled.propagate().await;
            }
        })),
        "ending" => {
            if molen::run(pressing()).is_err_and(|error| error.is_interrupted()) {
                println!("ending");
                molen::backend::interrupt::end_process();
            }
        }
        "refusing" => show(molen::run(async {
            let refused = catch_cancel(pressing()).await.is_err();
            sleep(Duration::from_millis(1)).await;
            refused
        })),
        "twice" => show(molen::run(async {
            for _ in 0..2 {
                if let Err(cancelled) = catch_cancel(pressing()).await {
                    drop(cancelled);
                    println!("refused");
                }
            }
        })),
        "after_the_run" => {
            show(molen::run(async {}));
            return Some(pressed_without_a_runner());
        }
        "handled" => show(molen::run(async {
            let event_loop = get_running_loop().map_err(drop)?;
            let seen = Rc::new(Event::new());
            let set = seen.clone();
            let handler = move || {
                println!("handled");
                set.set();
            };
            event_loop.add_signal_handler(Signal::INT, handler).map_err(drop)?;
            interrupt_self().await.map_err(drop)?;
            seen.wait().await;
            Ok::<_, ()>(())
        })),
        _ => return None,
    }
    Some(Ok(()))
}

fn pressed_without_a_runner() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    event_loop.run_until_complete(async {
        interrupt_self().await?;
        sleep(Duration::from_secs(5)).await;
        println!("never");
        Err(Failure::said("Ctrl-C did not end it"))
    })?
}
