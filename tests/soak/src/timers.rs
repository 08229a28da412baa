//! Timers, of which most are never due.

use crate::activities::{Done, Place, require, while_doing};
use molen::testing::Chance;
use molen::{create_task, get_running_loop, sleep, timeout};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub async fn race(_place: Place, chance: Rc<Chance>) -> Done {
    let event_loop = get_running_loop().map_err(while_doing("asking for the loop"))?;
    let fired = Rc::new(Cell::new(0));
    let (mut tasks, mut handles, mut due) = (Vec::new(), Vec::new(), 0);
    for _ in 0..chance.below(40) {
        let length = Duration::from_micros(chance.below(20_000) as u64);
        let began = Instant::now();
        let sleeps = async move {
            sleep(length).await;
            began.elapsed() >= length
        };
        tasks.push(create_task(sleeps).map_err(while_doing("creating a task"))?);
        let fired = fired.clone();
        let handle = event_loop
            .call_later(length, move || fired.set(fired.get() + 1))
            .map_err(while_doing("calling later"))?;
        if chance.happens(128) {
            handle.cancel();
        } else {
            due += 1;
            handles.push(handle);
        }
    }
    let far = timeout(Duration::from_millis(3), sleep(Duration::from_secs(1000))).await;
    require(far.is_err(), "a thousand seconds went by")?;
    for task in tasks {
        if chance.happens(64) {
            task.cancel();
            drop(task.await);
        } else {
            let in_time = task.await.map_err(while_doing("a sleep"))?;
            require(in_time, "a timer fired early")?;
        }
    }
    sleep(Duration::from_millis(21)).await;
    require(fired.get() == due, "a timer fired twice, never, or though it was cancelled")
}
