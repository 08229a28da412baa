//! Context variables and task factories, which need an allocator.

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
pub(crate) use heap::CASES;

#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
pub(crate) const CASES: &[crate::case::Case] = &[
    unsupported!(105, context_of_children_and_callbacks, "contexts need an allocator"),
    unsupported!(107, a_task_factory_is_used, "task factories need an allocator"),
    unsupported!(114, an_eager_task_has_a_context_of_its_own, "contexts need an allocator"),
    unsupported!(1240, a_variable_outside_of_a_task_has_its_default, "contexts need an allocator"),
    unsupported!(1241, a_token_sets_back_what_was, "contexts need an allocator"),
    unsupported!(1242, a_shared_context_is_changed_by_both, "contexts need an allocator"),
    unsupported!(1243, a_task_factory_may_refuse, "task factories need an allocator"),
    unsupported!(1245, a_task_that_fails_unread_is_reported_if_asked_for, "it needs an allocator"),
    unsupported!(1244, done_callbacks_of_a_task_run_once_it_has_ended, "they need an allocator"),
];

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
mod heap {
    extern crate alloc;

    use crate::case::{Case, Failure, Outcome};
    use crate::fixture::{OnDrop, event, hold, say};
    use alloc::rc::Rc;
    use molen::error::ScheduleError;
    use molen::task::{
        Builder, Context, ContextVar, NoContext, TaskRefused, copy_context, eager_task_factory,
    };
    use molen::testing::static_ref;
    use molen::{Duration, Promise, create_task, yield_now};

    pub(crate) const CASES: &[Case] = &[
        case!(105, context_of_children_and_callbacks),
        case!(107, a_task_factory_is_used),
        case!(114, an_eager_task_has_a_context_of_its_own),
        case!(1240, a_variable_outside_of_a_task_has_its_default),
        case!(1241, a_token_sets_back_what_was),
        case!(1242, a_shared_context_is_changed_by_both),
        case!(1243, a_task_factory_may_refuse),
        case!(1244, done_callbacks_of_a_task_run_once_it_has_ended),
        case!(1245, a_task_that_fails_unread_is_reported_if_asked_for),
    ];

    const NOW: Option<Duration> = Some(Duration::ZERO);

    static LEVEL: ContextVar<u32> = ContextVar::with_default("level", || 0);
    static NAME: ContextVar<&'static str> = ContextVar::new("name");

    fn set(level: u32) -> Result<(), Failure> {
        LEVEL.set(level).map(drop).map_err(|error| Failure::shown(&error))
    }

    fn context_of_children_and_callbacks() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            set(1)?;
            let child = create_task(async {
                let before = LEVEL.get();
                set(2)?;
                yield_now().await;
                let grandchild = create_task(async { LEVEL.get() })?;
                Ok::<_, Failure>((before, LEVEL.get(), grandchild.await?))
            })?;
            set(3)?;
            // It was copied when the child was created, not when it began.
            check_eq!(child.await??, (Some(1), Some(2), Some(2)));
            check_eq!(LEVEL.get(), Some(3));
            let context = copy_context();
            let inside = context.clone();
            let event_loop = molen::get_running_loop()?;
            event_loop.call_soon(move || {
                event(if LEVEL.get() == Some(0) { "the default" } else { "a context" });
                let _ran = inside.run(|| {
                    event(if LEVEL.get() == Some(3) { "the copy" } else { "another" });
                    LEVEL.set(4).is_ok()
                });
            })?;
            yield_now().await;
            yield_now().await;
            check_eq!((LEVEL.get(), LEVEL.get_in(&context)), (Some(3), Some(4)));
            Ok::<_, Failure>(())
        })??;
        check_events!["the default", "the copy"];
        Ok(())
    }

    fn a_task_factory_is_used() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_task_factory(Some(Rc::new(|_, builder: Builder| {
            event("factory");
            Ok(builder.name("made"))
        })));
        check!(event_loop.get_task_factory().is_some(), "there is no factory");
        let task = event_loop.create_task(say("body"))?;
        check!(task.name().is_some_and(|name| *name == *"made"), "it was not asked");
        event_loop.set_task_factory(None);
        let other = event_loop.create_task(say("other"))?;
        check!(other.name().is_none(), "the factory is still asked");
        event_loop.turn(NOW)?;
        check_events!["factory", "body", "other"];
        event_loop.set_task_factory(Some(Rc::new(eager_task_factory)));
        event_loop.run_until_complete(async {
            let task = create_task(say("eager"))?;
            event(if task.done() { "done" } else { "not done" });
            Ok::<_, Failure>(())
        })??;
        check_events!["factory", "body", "other", "eager", "done"];
        Ok(())
    }

    fn an_eager_task_has_a_context_of_its_own() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            set(1)?;
            let child = Builder::new().eager().create_task(async {
                let before = LEVEL.get();
                set(2)?;
                yield_now().await;
                Ok::<_, Failure>((before, LEVEL.get()))
            })?;
            check_eq!(LEVEL.get(), Some(1));
            check_eq!(child.await??, (Some(1), Some(2)));
            check_eq!(LEVEL.get(), Some(1));
            Ok::<_, Failure>(())
        })??;
        Ok(())
    }

    fn a_variable_outside_of_a_task_has_its_default() -> Outcome {
        let event_loop = new_loop!();
        check_eq!((LEVEL.get(), NAME.get()), (Some(0), None));
        check_matches!(LEVEL.set(1), Err(NoContext));
        event_loop.call_soon(|| {
            event(if LEVEL.set(1).is_err() { "refused" } else { "set" });
        })?;
        event_loop.turn(NOW)?;
        check_events!["refused"];
        check!(Context::new().run(|| ()).is_err(), "a context was entered without a loop");
        Ok(())
    }

    fn a_token_sets_back_what_was() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let first = NAME.set("first").map_err(|error| Failure::shown(&error))?;
            let second = NAME.set("second").map_err(|error| Failure::shown(&error))?;
            check_eq!(NAME.get(), Some("second"));
            second.reset();
            check_eq!(NAME.get(), Some("first"));
            first.reset();
            check_eq!(NAME.get(), None);
            Ok::<_, Failure>(())
        })??;
        Ok(())
    }

    fn a_shared_context_is_changed_by_both() -> Outcome {
        let event_loop = new_loop!();
        let context = Context::new();
        let shared = context.clone();
        let task = Builder::new().context(shared).create_task_on(&event_loop, async {
            let _token = LEVEL.set(5);
            let child = create_task(async { LEVEL.get() })?;
            let _token = LEVEL.set(6);
            Ok::<_, Failure>(child.await?)
        })?;
        check_eq!(event_loop.run_until_complete(task)???, Some(5));
        check_eq!(LEVEL.get_in(&context), Some(6));
        Ok(())
    }

    fn a_task_factory_may_refuse() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_task_factory(Some(Rc::new(|_, _| Err(TaskRefused))));
        let guard = OnDrop("disposed of");
        let refused = event_loop.create_task(async move { drop(guard) });
        check_matches!(refused, Err(ScheduleError::Refused(_)));
        check_events![];
        drop(refused);
        check_events!["disposed of"];
        Ok(())
    }

    fn done_callbacks_of_a_task_run_once_it_has_ended() -> Outcome {
        let event_loop = new_loop!();
        let promise = static_ref!(Promise<u8> = Promise::new());
        let task = event_loop.create_task(hold(promise, "begun", "ended"))?;
        task.add_done_callback(|| event("first"))?;
        let removed = task.add_done_callback(|| event("removed"))?;
        task.add_done_callback(|| event("second"))?;
        check!(task.remove_done_callback(&removed), "it could not be removed");
        check!(!task.remove_done_callback(&removed), "it was removed twice");
        event_loop.turn(NOW)?;
        promise.set_result(1)?;
        event_loop.turn(NOW)?;
        check_events!["begun", "ended"];
        let late = task.add_done_callback(|| event("late"))?;
        check!(!task.remove_done_callback(&late), "a scheduled one was removed");
        event_loop.turn(NOW)?;
        check_events!["begun", "ended", "first", "second", "late"];
        Ok(())
    }

    fn a_task_that_fails_unread_is_reported_if_asked_for() -> Outcome {
        let event_loop = new_loop!();
        async fn fail() -> Result<u8, &'static str> {
            yield_now().await;
            Err("boom")
        }
        let detached = event_loop.create_task(fail())?.detach_reporting();
        check!(detached.is_ok(), "it was refused");
        drop(event_loop.create_task(fail())?);
        let fine = event_loop.create_task(async { Ok::<_, &str>(1) })?.detach_reporting();
        check!(fine.is_ok(), "it was refused");
        for _ in 0..4 {
            event_loop.turn(NOW)?;
        }
        let backend = &crate::fixture::test().backend;
        check_eq!(backend.report_count(), 1);
        let text = "the exception of a task was never retrieved: boom";
        check!(backend.reported(0).is_some_and(|report| *report == *text), "another report");
        Ok(())
    }
}
