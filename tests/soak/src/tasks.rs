//! Groups that fail, queues whose users are cancelled.

use crate::activities::{Done, Place, require, while_doing};
use molen::testing::Chance;
use molen::{Lock, Queue, TaskGroup, create_task, gather, sleep, yield_now};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

pub async fn groups_and_queues(_place: Place, chance: Rc<Chance>) -> Done {
    group(&chance).await?;
    queue(&chance).await?;
    let pair = gather((sleep(Duration::from_millis(1)), yield_now()));
    let pair = pair.map_err(while_doing("gathering"))?;
    if chance.happens(128) {
        pair.await.map_err(while_doing("a gathered pair"))?;
    }
    Ok(())
}

/// A group in which one may fail: then all the others are cancelled.
async fn group(chance: &Chance) -> Done {
    let group = TaskGroup::<&'static str>::new();
    let left = Rc::new(Cell::new(0));
    struct Leaves(Rc<Cell<usize>>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    let fails = chance.happens(128);
    let ran = group
        .run(async {
            for number in 0..1 + chance.below(10) {
                left.set(left.get() + 1);
                let leaves = Leaves(left.clone());
                let length = Duration::from_micros(chance.below(3000) as u64);
                let member = async move {
                    let _leaves = leaves;
                    sleep(length).await;
                    if fails && number == 0 { Err("boom") } else { Ok(()) }
                };
                drop(group.create_task(member).map_err(|_| "not created")?);
            }
            Ok(())
        })
        .await;
    require(ran.is_err() == fails, "a group failed for no reason, or did not")?;
    require(left.get() == 0, "a member outlived its group")
}

/// What is put is got once, whoever is cancelled in between.
async fn queue(chance: &Chance) -> Done {
    const ITEMS: u32 = 60;
    let queue = Rc::new(Queue::<u32, 3>::new());
    let sum = Rc::new(Lock::new());
    let total = Rc::new(Cell::new(0));
    let mut getters = Vec::new();
    for _ in 0..4 {
        let (queue, sum, total) = (queue.clone(), sum.clone(), total.clone());
        let gets = async move {
            while let Ok(item) = queue.get().await {
                // Cancelled here, the item is this one's alone: it is counted first.
                total.set(total.get() + item);
                let _ = queue.task_done();
                let _held = sum.acquire().await;
                yield_now().await;
            }
        };
        getters.push(create_task(gets).map_err(while_doing("creating a task"))?);
    }
    for item in 1..=ITEMS {
        queue.put(item).await.map_err(|_| "the queue is shut".to_owned())?;
        if getters.len() > 1 && chance.happens(12) {
            getters.swap_remove(chance.below(getters.len())).cancel();
        }
    }
    queue.join().await;
    queue.shutdown();
    for getter in getters {
        getter.await.map_err(while_doing("a getter"))?;
    }
    require(total.get() == ITEMS * (ITEMS + 1) / 2, "an item was lost, or got twice")
}
