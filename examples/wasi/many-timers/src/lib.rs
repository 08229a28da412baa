//! A thousand tasks, each with a timer of 1 to 10 ms, all at a time. Says how
//! long they took together, in microseconds, and fails if one was early.

#![no_std]

use core::cell::Cell;
use molen::backend::stdout;
use molen::io::source::write_all;
use molen::{Duration, Instant, TaskError, create_task, get_running_loop, sleep};

const TIMERS: u64 = 1000;

#[molen::task(pool_size = 1000)]
async fn timer(delay: Duration) -> bool {
    let due = now() + delay;
    sleep(delay).await;
    now() >= due
}

fn now() -> Instant {
    get_running_loop().map(|event_loop| event_loop.time()).unwrap_or_default()
}

#[derive(Debug)]
enum Failed {
    Early,
    NoRoom,
    Task,
    Output,
}

impl From<TaskError> for Failed {
    fn from(_: TaskError) -> Failed {
        Failed::Task
    }
}

async fn many_timers() -> Result<(), Failed> {
    let tasks = [const { Cell::new(None) }; TIMERS as usize];
    let start = now();
    for (number, task) in (0..).zip(&tasks) {
        let delay = Duration::from_millis(number % 10 + 1);
        task.set(Some(create_task(timer(delay)).map_err(|_| Failed::NoRoom)?));
    }
    for task in tasks {
        if let Some(task) = task.into_inner()
            && !task.await?
        {
            return Err(Failed::Early);
        }
    }
    let took = now().saturating_since(start).as_micros();
    let mut digits = [b'0'; 8];
    let mut rest = took;
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    let stdout = stdout().map_err(|_| Failed::Output)?;
    write_all(&stdout, &digits).await.map_err(|_| Failed::Output)?;
    write_all(&stdout, b" us\n").await.map_err(|_| Failed::Output)
}

start::command!(many_timers, Bump);
