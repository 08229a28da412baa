//! Panics of what users pass in beside callbacks: wakers, destructors,
//! closures, factories, orders. Each is reported once or reaches whoever called;
//! others go on, and nothing stays locked or borrowed.

use crate::case::Case;

cases_here_where! {
    all(panic = "unwind", not(any(target_os = "none", target_os = "wasi"))), "panics abort on this platform",
    unwinding {
        1185 a_panic_of_a_threadsafe_callback_is_reported
        1186 a_panic_in_the_drop_of_a_posted_callback_does_not_stop_close
        1187 a_waker_that_panics_does_not_stop_the_timers
        1188 a_waker_that_panics_does_not_stop_the_other_wakes
        1189 a_waker_that_panics_when_it_is_dropped_is_reported
        1198 a_panicking_task_factory_refuses_one_task
        1199 a_panic_in_a_context_leaves_it
        1564 a_panic_of_an_eager_first_step_is_the_task_s
        1555 a_panic_of_a_predicate_releases_the_lock
        1556 a_panicking_order_leaves_the_queue_usable
        1557 a_panic_of_a_task_s_done_callback_is_reported
        1558 a_panic_in_the_drop_of_a_cancelled_callback_is_the_canceller_s
        1559 a_waker_that_panics_does_not_stop_the_sources
        1560 a_child_that_panics_drops_its_siblings
        1561 a_panic_in_a_timeout_leaves_no_timer_and_no_cancel
        1562 a_member_created_by_an_eager_member_has_its_own_place
        1563 an_eager_member_whose_group_is_dropped_is_cancelled
    }
}

#[cfg(all(panic = "unwind", not(any(target_os = "none", target_os = "wasi"))))]
mod unwinding {
    use crate::case::{Failure, Outcome};
    use crate::fixture::{OnDrop, event, ms, stop, test};
    use core::cell::Cell;
    use core::future::{Future, pending, poll_fn};
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use molen::io::Ready;
    use molen::sync::AsLock;
    use molen::task::{Builder, Context as TaskContext, ContextVar, eager_task_factory};
    use molen::task_group::BoundedTaskGroup;
    use molen::testing::static_ref;
    use molen::{
        Condition, Duration, Event, PriorityQueue, Promise, Queue, Semaphore, TaskError, TaskGroup,
        create_task, current_task, get_running_loop, join, sleep, timeout, yield_now,
    };
    use std::boxed::Box;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::rc::Rc;
    use std::sync::Arc;
    use std::task::Wake;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    /// A panic that prints nothing.
    fn panic_quietly(text: &'static str) {
        resume_unwind(Box::new(text))
    }

    fn reported(number: usize, text: &str) -> bool {
        test().backend.reported(number).is_some_and(|report| *report == *text)
    }

    /// Panics when it is dropped.
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic_quietly("in drop");
        }
    }

    /// A foreign waker that panics.
    struct PanickingWaker;

    impl Wake for PanickingWaker {
        fn wake(self: Arc<Self>) {
            panic_quietly("the waker");
        }
    }

    /// A foreign waker that does nothing, and panics when it is dropped.
    struct PanickingDrop;

    impl Wake for PanickingDrop {
        fn wake(self: Arc<Self>) {
            core::mem::forget(self);
        }

        fn wake_by_ref(self: &Arc<Self>) {}
    }

    impl Drop for PanickingDrop {
        fn drop(&mut self) {
            panic_quietly("the waker's drop");
        }
    }

    fn panicking() -> Waker {
        Waker::from(Arc::new(PanickingWaker))
    }

    /// Polls once, with a foreign waker that panics.
    fn poll_by_stranger<T>(future: core::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(&panicking()))
    }

    pub(super) fn a_panic_of_a_threadsafe_callback_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let remote = event_loop.remote();
        let posted = std::thread::spawn(move || {
            let first = remote.call_soon_threadsafe(|| panic_quietly("boom")).is_ok();
            first && remote.call_soon_threadsafe(|| event("after")).is_ok()
        });
        check!(posted.join().is_ok_and(|posted| posted), "it was not posted");
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["after"];
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "a callback panicked: boom"), "the report is another");
        Ok(())
    }

    pub(super) fn a_panic_in_the_drop_of_a_posted_callback_does_not_stop_close() -> Outcome {
        let event_loop = new_loop!();
        let task = event_loop.create_task(async {
            let _guard = OnDrop("dropped");
            pending::<()>().await;
        })?;
        event_loop.turn(NOW)?;
        let bomb = PanicOnDrop;
        let posted = event_loop.remote().call_soon_threadsafe(move || drop(bomb));
        check!(posted.is_ok(), "it was not posted");
        event_loop.close()?;
        check_events!["dropped"];
        check!(task.cancelled(), "the task goes on");
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "dropping a callback panicked: in drop"), "the report is another");
        Ok(())
    }

    pub(super) fn a_waker_that_panics_does_not_stop_the_timers() -> Outcome {
        let event_loop = new_loop!();
        let mut slow = Box::pin(sleep(ms(1)));
        event_loop.call_soon(move || {
            let _ = poll_by_stranger(slow.as_mut());
            let _lives_on = Box::leak(Box::new(slow));
        })?;
        event_loop.call_later(ms(1), || event("timer"))?;
        event_loop.call_later(ms(2), stop)?;
        event_loop.run_forever()?;
        check_events!["timer"];
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "a waker panicked: the waker"), "the report is another");
        Ok(())
    }

    pub(super) fn a_waker_that_panics_does_not_stop_the_other_wakes() -> Outcome {
        let event_loop = new_loop!();
        let run = event_loop.run_until_complete(async {
            let promise = static_ref!(Promise<u8> = Promise::new());
            let event_ = static_ref!(Event = Event::new());
            let permits = static_ref!(Semaphore = Semaphore::new(0));
            let queue = static_ref!(Queue<u8, 1> = Queue::new());
            let mut first = pin!((promise.wait(), event_.wait(), permits.acquire(), queue.get()));
            // SAFETY: the fields are pinned with the whole.
            let strangers = unsafe {
                let all = first.as_mut().get_unchecked_mut();
                poll_by_stranger(core::pin::Pin::new_unchecked(&mut all.0)).is_pending()
                    && poll_by_stranger(core::pin::Pin::new_unchecked(&mut all.1)).is_pending()
                    && poll_by_stranger(core::pin::Pin::new_unchecked(&mut all.2)).is_pending()
                    && poll_by_stranger(core::pin::Pin::new_unchecked(&mut all.3)).is_pending()
            };
            check!(strangers, "one was ready at once");
            drop(create_task(async {
                drop(promise.wait().await);
                event("promise");
            })?);
            drop(create_task(async {
                event_.wait().await;
                event("event");
            })?);
            drop(create_task(async {
                drop(permits.acquire().await);
                event("permit");
            })?);
            drop(create_task(async {
                let _ = queue.get().await;
                event("queue");
            })?);
            yield_now().await;
            promise.add_done_callback(|| event("callback"))?;
            let calls: [&dyn Fn(); 4] = [
                &|| assert!(promise.set_result(1).is_ok()),
                &|| event_.set(),
                &|| permits.release_many(2),
                &|| queue.shutdown(),
            ];
            for call in calls {
                check!(catch_unwind(AssertUnwindSafe(call)).is_err(), "the caller is not told");
                yield_now().await;
                yield_now().await;
            }
            Outcome::Ok(())
        })?;
        run?;
        check_events!["promise", "callback", "event", "permit", "queue"];
        Ok(())
    }

    pub(super) fn a_waker_that_panics_when_it_is_dropped_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let mut task = event_loop.create_task(async {
            yield_now().await;
            7
        })?;
        let polled = {
            let waker = Waker::from(Arc::new(PanickingDrop));
            let polled = core::pin::Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
            core::mem::forget(waker.clone());
            // Two are left: the task's, and the one that is forgotten.
            polled
        };
        check!(polled.is_pending(), "it was ready at once");
        // The last but for the task's: nothing panics yet.
        for _ in 0..2 {
            event_loop.turn(NOW)?;
        }
        check_matches!(task.take_result(), Some(Ok(7)));

        let mut task = event_loop.create_task(async {
            yield_now().await;
            8
        })?;
        {
            let waker = core::mem::ManuallyDrop::new(Waker::from(Arc::new(PanickingDrop)));
            let _ = core::pin::Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
            // SAFETY: given up once; the task's is the last one then.
            unsafe { Arc::decrement_strong_count(waker.data().cast::<PanickingDrop>()) };
        }
        for _ in 0..2 {
            event_loop.turn(NOW)?;
        }
        check_matches!(task.take_result(), Some(Ok(8)));
        check_eq!(test().backend.report_count(), 1);
        check_eq!(event_loop.all_tasks().len(), 0);
        Ok(())
    }

    pub(super) fn a_panicking_task_factory_refuses_one_task() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_task_factory(Some(Rc::new(|_, builder| {
            panic_quietly("no");
            Ok(builder)
        })));
        event_loop.call_soon(|| {
            let _created = create_task(async { event("never") });
        })?;
        event_loop.turn(NOW)?;
        check_eq!(test().backend.report_count(), 1);
        check_eq!(event_loop.all_tasks().len(), 0);
        event_loop.set_task_factory(None);
        drop(event_loop.create_task(async { event("created") })?);
        event_loop.turn(NOW)?;
        check_events!["created"];
        Ok(())
    }

    pub(super) fn a_panic_in_a_context_leaves_it() -> Outcome {
        static LEVEL: ContextVar<u32> = ContextVar::with_default("level", || 0);
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let context = TaskContext::new();
            let run = catch_unwind(AssertUnwindSafe(|| {
                context.run(|| {
                    drop(LEVEL.set(5));
                    panic_quietly("boom");
                })
            }));
            check!(run.is_err(), "the panic did not come out");
            check_eq!(LEVEL.get(), Some(0));
            check_eq!(LEVEL.get_in(&context), Some(5));
            Ok(())
        })?
    }

    pub(super) fn a_panic_of_an_eager_first_step_is_the_task_s() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let before = current_task();
            let task = Builder::new().eager().create_task(async {
                let _guard = OnDrop("dropped");
                panic_quietly("boom");
            })?;
            check!(task.done() && current_task() == before, "it goes on, or runs still");
            check_matches!(task.await, Err(TaskError::Panicked(_)));
            yield_now().await;
            Outcome::Ok(())
        })??;
        check_events!["dropped"];
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }

    pub(super) fn a_panic_of_a_predicate_releases_the_lock() -> Outcome {
        let event_loop = new_loop!();
        let condition = static_ref!(Condition = Condition::new());
        let mut task = event_loop.create_task(async {
            let guard = condition.acquire().await;
            let boom = |(): &mut ()| {
                panic_quietly("boom");
                true
            };
            drop(condition.wait_for(guard, boom).await);
        })?;
        event_loop.turn(NOW)?;
        check_matches!(task.take_result(), Some(Err(TaskError::Panicked(_))));
        check!(condition.as_lock().try_acquire().is_some(), "the lock is held");
        Ok(())
    }

    /// Orders as its number does, and panics when it is compared with 13.
    #[derive(PartialEq, Eq, Debug)]
    struct Superstitious(u8);

    impl Ord for Superstitious {
        fn cmp(&self, other: &Self) -> core::cmp::Ordering {
            if self.0 == 13 || other.0 == 13 {
                panic_quietly("13");
            }
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Superstitious {
        fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }

    pub(super) fn a_panicking_order_leaves_the_queue_usable() -> Outcome {
        let queue = PriorityQueue::<Superstitious, 4>::new();
        queue.put_nowait(Superstitious(2))?;
        let put = catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Superstitious(13))));
        check!(put.is_err(), "the panic did not come out");
        // It is in or not, but the queue is not borrowed, and loses nothing else.
        let mut left = 0;
        while let Ok(item) =
            catch_unwind(AssertUnwindSafe(|| queue.get_nowait())).unwrap_or(Ok(Superstitious(0)))
        {
            left += usize::from(item.0 != 0);
        }
        check!(left == 1 || left == 2, "an item is lost");
        check!(queue.empty(), "it cannot be emptied");
        for number in [3, 1, 2] {
            queue.put_nowait(Superstitious(number))?;
        }
        check_eq!(queue.get_nowait().ok(), Some(Superstitious(1)));
        Ok(())
    }

    pub(super) fn a_panic_of_a_task_s_done_callback_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let task = event_loop.create_task(yield_now())?;
        task.add_done_callback(|| panic_quietly("boom"))?;
        task.add_done_callback(|| event("second"))?;
        for _ in 0..3 {
            event_loop.turn(NOW)?;
        }
        check_events!["second"];
        check_eq!(test().backend.report_count(), 1);
        Ok(())
    }

    pub(super) fn a_panic_in_the_drop_of_a_cancelled_callback_is_the_canceller_s() -> Outcome {
        let event_loop = new_loop!();
        let bomb = PanicOnDrop;
        let soon = event_loop.call_soon(move || drop(bomb))?;
        let bomb = PanicOnDrop;
        let later = event_loop.call_later(ms(1), move || drop(bomb))?;
        event_loop.call_soon(|| event("goes on"))?;
        check!(catch_unwind(AssertUnwindSafe(|| soon.cancel())).is_err(), "no panic came out");
        check!(catch_unwind(AssertUnwindSafe(|| later.cancel())).is_err(), "no panic came out");
        check_eq!(event_loop.next_deadline(), None);
        event_loop.turn(NOW)?;
        check_events!["goes on"];
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }

    pub(super) fn a_waker_that_panics_does_not_stop_the_sources() -> Outcome {
        let event_loop = new_loop!();
        let source = &test().backend.sources()[0];
        let waker = panicking();
        let mut cx = Context::from_waker(&waker);
        check!(source.poll_ready(&mut cx, Ready::READABLE).is_pending(), "it is ready");
        event_loop.run_until_complete(async {
            drop(create_task(async {
                poll_fn(|cx| source.poll_ready(cx, Ready::WRITABLE)).await;
                event("writable");
            })?);
            yield_now().await;
            source.set_ready(Ready::BOTH);
            yield_now().await;
            Outcome::Ok(())
        })??;
        check_events!["writable"];
        check_eq!(test().backend.report_count(), 1);
        Ok(())
    }

    pub(super) fn a_child_that_panics_drops_its_siblings() -> Outcome {
        let event_loop = new_loop!();
        let mut task = event_loop.create_task(async {
            let first = async {
                let _guard = OnDrop("sibling");
                sleep(ms(10)).await;
            };
            let second = async {
                yield_now().await;
                panic_quietly("boom");
            };
            join((first, second)).await;
        })?;
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["sibling"];
        check_matches!(task.take_result(), Some(Err(TaskError::Panicked(_))));
        check_eq!(event_loop.next_deadline(), None);
        Ok(())
    }

    pub(super) fn a_panic_in_a_timeout_leaves_no_timer_and_no_cancel() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut polls = 0;
            let timed = timeout(ms(10), async {
                drop(molen::catch_cancel(pending::<()>()).await);
                panic_quietly("boom");
            });
            let mut timed = Some(Box::pin(timed));
            poll_fn(|cx| {
                polls += 1;
                let Some(running) = timed.as_mut() else { return Poll::Ready(()) };
                let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx)));
                match polled {
                    Ok(polled) => polled.map(drop),
                    Err(_) => {
                        timed = None;
                        event("panicked");
                        Poll::Ready(())
                    }
                }
            })
            .await;
            check_eq!(current_task().map(|task| task.cancelling()), Some(0));
            check_eq!(get_running_loop()?.next_deadline(), None);
            yield_now().await;
            event("goes on");
            Outcome::Ok(())
        })??;
        check_events!["panicked", "goes on"];
        Ok(())
    }

    type Group = BoundedTaskGroup<u8, &'static str, 3>;

    pub(super) fn a_member_created_by_an_eager_member_has_its_own_place() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_task_factory(Some(Rc::new(eager_task_factory)));
        let group = static_ref!(Group = BoundedTaskGroup::new());
        let ended = event_loop.run_until_complete(group.run(async {
            let outer = group.create_task(async {
                let inner = async {
                    sleep(ms(1)).await;
                    event("inner");
                    Ok(2)
                };
                group.create_task(inner).map_err(|_| "no room")?;
                Ok(1)
            });
            outer.map_err(|_| "no room")
        }))?;
        event_loop.set_task_factory(None);
        let Ok(Some(outer)) = ended else { return Err(Failure::said("the group failed")) };
        check_eq!(group.take_result(outer), Some(1));
        check_events!["inner"];
        Ok(())
    }

    pub(super) fn an_eager_member_whose_group_is_dropped_is_cancelled() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let group = TaskGroup::<&'static str>::new();
            let slot = Rc::new(Cell::new(None));
            let of_owner = group.clone();
            let owner = create_task(async move {
                drop(of_owner.run(pending::<Result<(), &str>>()).await);
            })?;
            yield_now().await;
            slot.set(Some(owner));
            let member = group.create_task_with(Builder::new().eager(), async move {
                let _guard = OnDrop("member dropped");
                if let Some(owner) = slot.take() {
                    owner.abort();
                }
                pending::<()>().await;
                Ok(())
            });
            let Ok(member) = member else { return Err(Failure::said("it was not created")) };
            yield_now().await;
            check!(member.cancelled(), "it goes on without its group");
            Outcome::Ok(())
        })??;
        check_events!["member dropped"];
        Ok(())
    }
}
