//! Cancellation against a plain model: random interleavings of waking,
//! completing, cancelling, taking back, aborting and dropping, over tasks
//! whose code catches cancels in all the ways that there are.
//!
//! The model is the state machine of `molen::task::cancel`, written as one
//! `match`; it knows nothing of scopes, flags or wakers.
#![cfg(not(any(target_os = "none", target_os = "wasi")))]

use molen::testing::{TestBackend, test_loop};
use molen::{Duration, Promise, Task, TaskError, catch_cancel};
use proptest::prelude::*;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Waker;

/// What code at a stage does with a cancel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Catch {
    /// It does not catch.
    No,
    /// It catches, and goes on with the next stage.
    Refuse,
    /// It catches, and hands it on.
    Propagate,
    /// It catches, awaits a clean-up, and hands it on.
    CleanUp,
}

/// A task: it waits at each stage in turn, all of them within an outer catch or not.
#[derive(Clone, Debug)]
struct Program {
    stages: Vec<Catch>,
    outer: bool,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Makes what stage (or its clean-up) waits for ready.
    Complete(usize),
    CompleteCleanUp(usize),
    Cancel,
    Uncancel,
    /// Wakes the task for nothing.
    Wake,
    Turn,
    Abort,
    DropHandle,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    Begun,
    Passed(usize),
    Caught(usize),
    CleanedUp(usize),
    CaughtOutside,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    NotBegun,
    Stage(usize),
    CleanUp(usize),
    Propagating,
    Done { cancelled: bool },
}

/// The task as the documentation describes it.
struct Model {
    program: Program,
    at: At,
    asked: bool,
    queued: bool,
    count: u8,
    ready: Vec<bool>,
    clean: Vec<bool>,
    events: Vec<Event>,
}

impl Model {
    fn new(program: Program) -> Model {
        let stages = program.stages.len();
        Model {
            program,
            at: At::NotBegun,
            asked: false,
            queued: true,
            count: 0,
            ready: vec![false; stages],
            clean: vec![false; stages],
            events: Vec::new(),
        }
    }

    fn done(&self) -> bool {
        matches!(self.at, At::Done { .. })
    }

    fn wake_if(&mut self, waits: bool) {
        self.queued |= waits;
    }

    fn cancel(&mut self) -> bool {
        if self.done() {
            return false;
        }
        self.count += 1;
        self.asked = true;
        self.queued = true;
        true
    }

    fn uncancel(&mut self) -> u8 {
        self.count = self.count.saturating_sub(1);
        if self.count == 0 {
            self.asked = false;
        }
        self.count
    }

    fn end(&mut self, cancelled: bool) {
        self.at = At::Done { cancelled };
    }

    /// A cancel is delivered where nothing at the stage catches it.
    fn deliver_outside(&mut self) {
        if self.program.outer {
            self.events.extend([Event::CaughtOutside, Event::Ended]);
            self.end(false);
        } else {
            self.end(true);
        }
    }

    fn propagate(&mut self) {
        self.at = At::Propagating;
        self.asked = true;
        self.queued = true;
    }

    fn step(&mut self) {
        if self.done() || !std::mem::take(&mut self.queued) {
            return;
        }
        if self.at == At::NotBegun {
            if std::mem::take(&mut self.asked) {
                return self.end(true);
            }
            self.events.push(Event::Begun);
            self.at = At::Stage(0);
        }
        loop {
            match self.at {
                At::Stage(stage) if stage == self.program.stages.len() => {
                    self.events.push(Event::Ended);
                    return self.end(false);
                }
                At::Stage(stage) if std::mem::take(&mut self.asked) => {
                    let catch = self.program.stages[stage];
                    if catch == Catch::No {
                        return self.deliver_outside();
                    }
                    self.events.push(Event::Caught(stage));
                    match catch {
                        Catch::Refuse | Catch::No => self.at = At::Stage(stage + 1),
                        Catch::Propagate => return self.propagate(),
                        Catch::CleanUp => self.at = At::CleanUp(stage),
                    }
                }
                At::Stage(stage) if self.ready[stage] => {
                    self.events.push(Event::Passed(stage));
                    self.at = At::Stage(stage + 1);
                }
                At::CleanUp(_) if std::mem::take(&mut self.asked) => {
                    return self.deliver_outside();
                }
                At::CleanUp(stage) if self.clean[stage] => {
                    self.events.push(Event::CleanedUp(stage));
                    return self.propagate();
                }
                At::Propagating if std::mem::take(&mut self.asked) => {
                    return self.deliver_outside();
                }
                At::Propagating => return self.propagate(),
                _ => return,
            }
        }
    }
}

/// What the real task shares with the test.
struct World {
    ready: Vec<Promise<()>>,
    clean: Vec<Promise<()>>,
    events: RefCell<Vec<Event>>,
    waker: RefCell<Option<Waker>>,
}

impl World {
    fn note(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    async fn stage(&self, stage: usize, catch: Catch) {
        let wait = self.ready[stage].wait();
        if catch == Catch::No {
            let _ready = wait.await;
            return self.note(Event::Passed(stage));
        }
        match catch_cancel(wait).await {
            Ok(_) => self.note(Event::Passed(stage)),
            Err(cancelled) => {
                self.note(Event::Caught(stage));
                match catch {
                    Catch::Refuse | Catch::No => drop(cancelled),
                    Catch::Propagate => match cancelled.propagate().await {},
                    Catch::CleanUp => {
                        let _clean = self.clean[stage].wait().await;
                        self.note(Event::CleanedUp(stage));
                        match cancelled.propagate().await {}
                    }
                }
            }
        }
    }

    async fn stages(&self, stages: &[Catch]) {
        for (stage, catch) in stages.iter().enumerate() {
            self.stage(stage, *catch).await;
        }
    }
}

async fn task(world: Rc<World>, program: Program) {
    world.note(Event::Begun);
    let body = async {
        if program.outer {
            if catch_cancel(world.stages(&program.stages)).await.is_err() {
                world.note(Event::CaughtOutside);
            }
        } else {
            world.stages(&program.stages).await;
        }
    };
    let mut body = pin!(body);
    poll_fn(|cx| {
        *world.waker.borrow_mut() = Some(cx.waker().clone());
        body.as_mut().poll(cx)
    })
    .await;
    world.note(Event::Ended);
}

fn programs() -> impl Strategy<Value = Program> {
    let catch = prop_oneof![
        Just(Catch::No),
        Just(Catch::Refuse),
        Just(Catch::Propagate),
        Just(Catch::CleanUp)
    ];
    (prop::collection::vec(catch, 1..4), any::<bool>())
        .prop_map(|(stages, outer)| Program { stages, outer })
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => (0..3_usize).prop_map(Op::Complete),
        2 => (0..3_usize).prop_map(Op::CompleteCleanUp),
        4 => Just(Op::Cancel),
        2 => Just(Op::Uncancel),
        1 => Just(Op::Wake),
        6 => Just(Op::Turn),
        1 => Just(Op::Abort),
        1 => Just(Op::DropHandle),
    ];
    prop::collection::vec(op, 0..24)
}

fn check(program: Program, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let backend: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
    let event_loop = test_loop!(backend).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let promises = || program.stages.iter().map(|_| Promise::new()).collect();
    let world = Rc::new(World {
        ready: promises(),
        clean: promises(),
        events: RefCell::default(),
        waker: RefCell::default(),
    });
    let mut model = Model::new(program.clone());
    let created = event_loop.create_task(task(world.clone(), program.clone()));
    let mut handle: Option<Task<()>> =
        Some(created.map_err(|error| TestCaseError::fail(error.to_string()))?);
    let known = handle.as_ref().map(Task::task_ref);
    let Some(known) = known else { return Err(TestCaseError::fail("there is no task")) };
    for op in ops {
        match op {
            Op::Complete(stage) if stage < program.stages.len() => {
                let first = world.ready[stage].set_result(()).is_ok();
                model.ready[stage] = true;
                model.wake_if(first && model.at == At::Stage(stage));
            }
            Op::CompleteCleanUp(stage) if stage < program.stages.len() => {
                let first = world.clean[stage].set_result(()).is_ok();
                model.clean[stage] = true;
                model.wake_if(first && model.at == At::CleanUp(stage));
            }
            Op::Complete(_) | Op::CompleteCleanUp(_) => {}
            Op::Cancel => prop_assert_eq!(known.cancel(), model.cancel()),
            Op::Uncancel => prop_assert_eq!(known.uncancel(), model.uncancel()),
            Op::Wake => {
                if let Some(waker) = &*world.waker.borrow() {
                    waker.wake_by_ref();
                    model.queued |= !model.done();
                }
            }
            Op::Turn => {
                let turn = event_loop.turn(Some(Duration::ZERO));
                turn.map_err(|error| TestCaseError::fail(error.to_string()))?;
                model.step();
            }
            Op::Abort => {
                if let Some(handle) = &handle {
                    prop_assert_eq!(handle.abort(), !model.done());
                    if !model.done() {
                        model.end(true);
                    }
                }
            }
            Op::DropHandle => drop(handle.take()),
        }
        prop_assert_eq!(&*world.events.borrow(), &model.events, "after {:?}", op);
        prop_assert_eq!(known.done(), model.done(), "after {:?}", op);
        prop_assert_eq!(known.cancelled(), model.at == At::Done { cancelled: true });
        prop_assert_eq!(known.cancelling(), model.count, "after {:?}", op);
    }
    if let Some(mut handle) = handle {
        match (handle.take_result(), model.at) {
            (None, _) => prop_assert!(!model.done()),
            (Some(Ok(())), at) => prop_assert_eq!(at, At::Done { cancelled: false }),
            (Some(Err(TaskError::Cancelled(_))), at) => {
                prop_assert_eq!(at, At::Done { cancelled: true });
            }
            (Some(Err(other)), _) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_task_does_what_the_model_does(program in programs(), ops in ops()) {
        check(program, ops)?;
    }
}
