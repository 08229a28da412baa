//! embassy-executor on its std platform, with embassy-time's std driver.
//!
//! Embassy's tasks live in static storage. A macro makes that storage for
//! non-generic functions; here [`Peer::spawn`] is generic, so the same
//! `raw::TaskStorage` is leaked in chunks and used over and over, which is
//! embassy's fastest case: no search of a pool, no allocation once grown.
//!
//! Its timer queue holds one deadline per task and forgets nothing on drop,
//! so the rows that arm many timers from one task do not exist for it.

use crate::peer::Peer;
use crate::row::Row;
use crate::rows::combine::{Forms, batch, child};
use crate::sync::Slot;
use embassy_executor::raw::{AvailableTask, TaskStorage};
use embassy_executor::{Executor, Spawner};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

/// embassy-executor.
pub struct Embassy;

/// Storage of all tasks of one type, handed out in turn.
struct Storage<F: Future + 'static> {
    slots: RefCell<Vec<&'static TaskStorage<F>>>,
    next: Cell<usize>,
}

impl<F: Future + 'static> Storage<F> {
    /// Slots leaked at a time.
    const CHUNK: usize = 64;

    fn claim(&self) -> AvailableTask<F> {
        let mut slots = self.slots.borrow_mut();
        if let Some(slot) = slots.get(self.next.get())
            && let Some(free) = AvailableTask::claim(slot)
        {
            let next = self.next.get() + 1;
            self.next.set(if next == slots.len() { 0 } else { next });
            return free;
        }
        self.next.set(slots.len());
        for _ in 0..Self::CHUNK {
            slots.push(Box::leak(Box::new(TaskStorage::new())));
        }
        drop(slots);
        self.claim()
    }
}

/// The storages of this thread, by the type of their future.
type Storages = Vec<(TypeId, &'static dyn Any)>;

thread_local! {
    static SPAWNER: Cell<Option<Spawner>> = const { Cell::new(None) };
    static STORAGES: RefCell<Storages> = const { RefCell::new(Vec::new()) };
}

fn storage<F: Future + 'static>() -> &'static Storage<F> {
    STORAGES.with_borrow_mut(|all| {
        let id = TypeId::of::<F>();
        // One row spawns one or two types: a short list beats a hash.
        if let Some(found) = all.iter().find(|(of, _)| *of == id)
            && let Some(storage) = found.1.downcast_ref()
        {
            return storage;
        }
        let fresh: &'static Storage<F> =
            Box::leak(Box::new(Storage { slots: RefCell::new(Vec::new()), next: Cell::new(0) }));
        all.push((id, fresh));
        fresh
    })
}

fn start<F: Future<Output = ()> + 'static>(spawner: Spawner, task: F) {
    spawner.spawn(storage::<F>().claim().initialize(|| task));
}

impl Peer for Embassy {
    const NAME: &'static str = "embassy";

    const FORMS: Option<Forms> = Some(Forms {
        join_2: || batch(|| embassy_futures::join::join(child(1), child(1)), |(a, b)| a + b),
        join_8: Some(|| {
            batch(
                || embassy_futures::join::join_array([(); 8].map(|()| child(1))),
                |all| all.into_iter().sum(),
            )
        }),
        join_all: None,
        select_2: || {
            batch(
                || embassy_futures::select::select(child(9), child(1)),
                |either| match either {
                    embassy_futures::select::Either::First(a) => a,
                    embassy_futures::select::Either::Second(b) => b,
                },
            )
        },
        select_8: Some(|| {
            batch(
                || {
                    embassy_futures::select::select_array([
                        child(9),
                        child(9),
                        child(9),
                        child(9),
                        child(9),
                        child(9),
                        child(9),
                        child(1),
                    ])
                },
                |(value, _)| value,
            )
        }),
    });

    fn lacks(row: Row) -> Option<&'static str> {
        match row {
            Row::Timers1 | Row::Timers1k | Row::Timers1m => {
                Some("one deadline per task; a second timer of a task is not queued")
            }
            Row::Fire1m => Some("every alarm walks the whole timer queue"),
            Row::Heap => Some("tasks and timers live in static storage"),
            _ => None,
        }
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
        let done = Rc::new(Cell::new(false));
        let finished = done.clone();
        executor.run_until(
            |spawner| {
                SPAWNER.set(Some(spawner));
                start(spawner, async move {
                    main.await;
                    finished.set(true);
                });
            },
            || done.get(),
        );
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        start(SPAWNER.get().expect("inside block_on"), task);
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        let slot = Slot::new();
        let done = slot.clone();
        Self::spawn(async move {
            task.await;
            done.put(());
        });
        async move { slot.take().await }
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        // Rounded up as embassy's own macros do, so that it is never early.
        embassy_time::Timer::after_micros(delay.as_nanos().div_ceil(1000) as u64)
    }

    fn yield_now() -> impl Future<Output = ()> {
        embassy_futures::yield_now()
    }
}
