//! Creating tasks: eagerly, with names, with contexts, by a task factory.

use crate::case::{Case, Outcome};
use crate::fixture::{Slot, event, hold, say, test};
use core::cell::Cell;
use molen::task::Builder;
use molen::testing::static_ref;
use molen::{Duration, Promise, Task, TaskError, TaskRef, current_task, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(111, current_task_in_an_eager_step),
    case!(112, eager_tasks_are_listed_while_they_run),
    case!(113, a_finished_eager_task_keeps_its_result),
    case!(1230, an_eager_task_that_waits_goes_on_in_the_queue),
    case!(1231, an_eager_task_outside_of_the_loop_is_queued),
    case!(1232, eager_steps_nest),
    case!(1233, an_eager_task_that_cancels_its_creator_does_it_later),
    case!(1234, a_task_has_the_name_it_was_given),
    case!(1235, all_tasks_are_the_unfinished_ones),
    case!(1236, a_destructor_creates_a_task_like_its_own),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Notes whether the task that runs is another than `parent`.
#[molen::task(pool_size = 2)]
async fn look(parent: &'static Slot<TaskRef>) -> u8 {
    let outer = parent.take();
    event(if current_task() == outer { "the parent" } else { "the child" });
    parent.set(outer);
    7
}

fn current_task_in_an_eager_step() -> Outcome {
    #[molen::task]
    async fn create(parent: &'static Slot<TaskRef>) {
        parent.set(current_task());
        let child = Builder::new().eager().create_task(look(parent));
        event(if child.is_ok_and(|child| child.done()) { "done" } else { "not done" });
        let outer = parent.take();
        event(if current_task() == outer { "the parent" } else { "the child" });
        yield_now().await;
        event(if current_task() == outer { "the parent" } else { "the child" });
    }
    let event_loop = new_loop!();
    let parent = static_ref!(Slot<TaskRef> = Cell::new(None));
    drop(event_loop.create_task(create(parent))?);
    event_loop.turn(NOW)?;
    check_events!["the child", "done", "the parent"];
    let turn = event_loop.turn(NOW)?;
    check_eq!((turn.ran, turn.more), (1, false));
    check_events!["the child", "done", "the parent", "the parent"];
    Ok(())
}

/// How many unfinished tasks the running loop has.
fn unfinished() -> usize {
    let mut count = 0;
    if let Ok(event_loop) = molen::get_running_loop() {
        event_loop.for_each_task(|_| count += 1);
    }
    count
}

fn eager_tasks_are_listed_while_they_run() -> Outcome {
    #[molen::task]
    async fn count(counted: &'static Cell<usize>) {
        counted.set(unfinished());
    }
    #[molen::task]
    async fn create(counted: &'static Cell<usize>, after: &'static Cell<usize>) {
        drop(Builder::new().eager().create_task(count(counted)));
        after.set(unfinished());
    }
    let event_loop = new_loop!();
    let (inside, after) =
        (static_ref!(Cell<usize> = Cell::new(0)), static_ref!(Cell<usize> = Cell::new(0)));
    drop(event_loop.create_task(create(inside, after))?);
    event_loop.turn(NOW)?;
    check_eq!((inside.get(), after.get()), (2, 1));
    Ok(())
}

fn a_finished_eager_task_keeps_its_result() -> Outcome {
    #[molen::task]
    async fn create(parent: &'static Slot<TaskRef>, result: &'static Slot<Task<u8>>) {
        if let Ok(child) = Builder::new().eager().create_task(look(parent)) {
            event(if child.cancel() { "cancelled" } else { "too late" });
            result.set(Some(child));
        }
    }
    let event_loop = new_loop!();
    let parent = static_ref!(Slot<TaskRef> = Cell::new(None));
    let result = static_ref!(Slot<Task<u8>> = Cell::new(None));
    drop(event_loop.create_task(create(parent, result))?);
    event_loop.turn(NOW)?;
    check_events!["the child", "too late"];
    let got = result.take().and_then(|mut task| task.take_result());
    check_matches!(got, Some(Ok(7)));
    Ok(())
}

fn an_eager_task_that_waits_goes_on_in_the_queue() -> Outcome {
    #[molen::task]
    async fn create(promise: &'static Promise<u8>, child: &'static Slot<Task<u8>>) {
        event("before");
        child.set(Builder::new().eager().create_task(hold(promise, "begun", "ended")).ok());
        event("after");
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let child = static_ref!(Slot<Task<u8>> = Cell::new(None));
    drop(event_loop.create_task(create(promise, child))?);
    let turn = event_loop.turn(NOW)?;
    check_eq!((turn.ran, turn.more), (1, false));
    check_events!["before", "begun", "after"];
    promise.set_result(3)?;
    event_loop.turn(NOW)?;
    check_events!["before", "begun", "after", "ended"];
    let got = child.take().and_then(|mut task| task.take_result());
    check_matches!(got, Some(Ok(3)));
    Ok(())
}

fn an_eager_task_outside_of_the_loop_is_queued() -> Outcome {
    let event_loop = new_loop!();
    let task = Builder::new().eager().create_task_on(&event_loop, say("ran"))?;
    check_events![];
    check!(!task.done(), "it is done");
    event_loop.turn(NOW)?;
    check_events!["ran"];
    Ok(())
}

fn eager_steps_nest() -> Outcome {
    #[molen::task]
    async fn outer() {
        event("outer");
        drop(Builder::new().eager().create_task(inner()));
        event("outer again");
    }
    #[molen::task]
    async fn inner() {
        event("inner");
        drop(Builder::new().eager().create_task(say("innermost")));
        event("inner again");
    }
    let event_loop = new_loop!();
    drop(event_loop.create_task(outer())?);
    event_loop.turn(NOW)?;
    check_events!["outer", "inner", "innermost", "inner again", "outer again"];
    Ok(())
}

fn an_eager_task_that_cancels_its_creator_does_it_later() -> Outcome {
    #[molen::task]
    async fn cancel_parent(parent: &'static Slot<TaskRef>) {
        if let Some(task) = parent.take() {
            event(if task.cancel() { "asked" } else { "refused" });
        }
    }
    #[molen::task]
    async fn create(parent: &'static Slot<TaskRef>) {
        parent.set(current_task());
        drop(Builder::new().eager().create_task(cancel_parent(parent)));
        event("goes on");
        yield_now().await;
        event("never");
    }
    let event_loop = new_loop!();
    let parent = static_ref!(Slot<TaskRef> = Cell::new(None));
    let mut task = event_loop.create_task(create(parent))?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["asked", "goes on"];
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    Ok(())
}

fn a_task_has_the_name_it_was_given() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = Builder::new()
        .name("fetch")
        .create_task_on(&event_loop, hold(promise, "begun", "ended"))?;
    let other = event_loop.create_task(say("other"))?;
    check!(task.name().is_some_and(|name| *name == *"fetch"), "it has another name");
    check!(other.name().is_none(), "the other one has a name");
    task.cancel_with("for a reason");
    check!(task.set_name("load").is_ok(), "it could not be named again");
    check!(task.task_ref().name().is_some_and(|name| *name == *"load"), "it has the old name");
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "it is not cancelled");
    Ok(())
}

fn all_tasks_are_the_unfinished_ones() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let first = event_loop.create_task(hold(promise, "begun", "ended"))?;
    let second = event_loop.create_task(say("said"))?;
    let listed = || {
        let (mut count, mut known) = (0, 0);
        event_loop.for_each_task(|task| {
            count += 1;
            known += usize::from(task == first.task_ref() || task == second.task_ref());
        });
        (count, known)
    };
    check_eq!(listed(), (2, 2));
    event_loop.turn(NOW)?;
    check_eq!(listed(), (1, 1));
    first.abort();
    check_eq!(listed(), (0, 0));
    Ok(())
}

/// Creates a task of the function that it is dropped in.
struct Respawn {
    slot: &'static Slot<Task<()>>,
    /// The task that it is dropped in.
    id: usize,
}

impl Drop for Respawn {
    fn drop(&mut self) {
        event("dropped");
        let next = molen::create_task(respawning(self.slot, Then::Say));
        let elsewhere = next.as_ref().is_ok_and(|next| next.task_ref().id() != self.id);
        event(if elsewhere { "created" } else { "refused, or in the place of this" });
        self.slot.set(next.ok());
    }
}

#[derive(Clone, Copy)]
enum Then {
    Say,
    Respawn(End),
}

/// How a task ends whose destructor creates the next.
#[derive(Clone, Copy)]
enum End {
    Value,
    Cancel,
}

#[molen::task(pool_size = 2)]
async fn respawning(slot: &'static Slot<Task<()>>, then: Then) {
    match then {
        Then::Say => event("the next ran"),
        Then::Respawn(end) => {
            let id = current_task().map_or(0, |task| task.id());
            let _respawn = Respawn { slot, id };
            if matches!(end, End::Cancel) {
                core::future::pending::<()>().await;
            }
        }
    }
}

fn a_destructor_creates_a_task_like_its_own() -> Outcome {
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<Task<()>> = Cell::new(None));
    for end in [End::Value, End::Cancel] {
        let task = event_loop.create_task(respawning(slot, Then::Respawn(end)))?;
        event_loop.turn(NOW)?;
        task.cancel();
        task.detach();
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["dropped", "created", "the next ran"];
        check!(slot.take().is_some_and(|task| task.done()), "the next is not done");
        test().log.clear();
    }
    // By abort, from outside.
    let task = event_loop.create_task(respawning(slot, Then::Respawn(End::Cancel)))?;
    event_loop.turn(NOW)?;
    event_loop.run_until_complete(async move {
        task.abort();
    })?;
    event_loop.turn(NOW)?;
    check_events!["dropped", "created", "the next ran"];
    Ok(())
}
