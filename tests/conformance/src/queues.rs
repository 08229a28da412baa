//! Queues between tasks: behaviours 217 to 227.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, event, ms, say};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use molen::sync::queue::{GetError, GetNowaitError, PutError, PutNowaitError, TooManyDone};
use molen::testing::static_ref;
use molen::{Duration, LifoQueue, PriorityQueue, Queue, create_task, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(217, an_item_whose_getter_was_cancelled_is_still_there),
    case!(218, one_of_several_getters_cancelled_loses_no_item),
    case!(219, a_place_whose_putter_was_cancelled_goes_to_the_next),
    case!(220, a_get_that_timed_out_waits_no_more),
    case!(221, several_free_places_call_as_many_putters),
    case!(222, a_getter_that_was_too_late_has_the_next_item),
    case!(223, an_empty_queue_is_joined_at_once_and_has_nothing_to_be_done),
    case!(224, shutting_an_empty_queue_down_tells_who_waits),
    case!(225, a_queue_that_is_shut_down_is_emptied_first),
    case!(226, an_immediate_shutdown_counts_what_it_drops_as_done),
    case!(227, items_leave_in_the_order_of_the_queue),
    case!(1350, putters_wait_for_room_in_order_of_arrival),
    case!(1351, a_put_that_is_dropped_drops_its_item),
    case!(1352, a_full_queue_gives_the_item_back),
    case!(1353, joiners_wait_until_all_work_is_done),
    case!(1354, putting_runs_nothing_inline),
    case!(1355, an_immediate_shutdown_drops_items_and_tells_who_waits),
    case!(1356, getters_that_were_too_late_keep_their_order),
    case!(1357, a_putter_that_was_too_late_keeps_its_place),
    case!(1358, joiners_are_told_even_if_more_is_put_at_once),
    case!(1359, a_queue_on_the_heap_grows_or_has_a_bound),
    case!(1360, getting_what_is_there_does_not_yield),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

type Names<const N: usize> = Queue<&'static str, N>;

/// Gets one item, and notes who got what.
#[molen::task(pool_size = 4)]
async fn get(queue: &'static Names<2>, name: &'static str) {
    let item = queue.get().await;
    event(name);
    event(item.unwrap_or("nothing: shut down"));
}

/// Puts one item, and notes that.
#[molen::task(pool_size = 4)]
async fn put(queue: &'static Names<2>, item: &'static str) {
    match queue.put(item).await {
        Ok(()) => event(item),
        Err(PutError(item)) => {
            event(item);
            event("refused: shut down");
        }
    }
}

/// Waits until all is done, and notes that.
#[molen::task(pool_size = 2)]
async fn join(queue: &'static Names<2>, name: &'static str) {
    queue.join().await;
    event(name);
}

/// What `future` gives, unless the time is up before.
async fn within<F: Future>(delay: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut time) = (pin!(future), pin!(sleep(delay)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => time.as_mut().poll(cx).map(|()| None),
    })
    .await
}

fn an_item_whose_getter_was_cancelled_is_still_there() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    let task = event_loop.create_task(get(queue, "first"))?;
    event_loop.turn(NOW)?;
    queue.put_nowait("item")?;
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "the getter was not cancelled");
    check_eq!(queue.qsize(), 1);
    let item = event_loop.run_until_complete(queue.get())?;
    check_eq!(item, Ok("item"));
    check_events![];
    Ok(())
}

fn one_of_several_getters_cancelled_loses_no_item() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    let first = event_loop.create_task(get(queue, "first"))?;
    for name in ["second", "third"] {
        drop(event_loop.create_task(get(queue, name))?);
    }
    event_loop.turn(NOW)?;
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    first.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["second", "a", "third", "b"];
    check!(queue.empty(), "an item is left");
    Ok(())
}

fn a_place_whose_putter_was_cancelled_goes_to_the_next() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    let first = event_loop.create_task(put(queue, "first"))?;
    drop(event_loop.create_task(put(queue, "second"))?);
    event_loop.turn(NOW)?;
    check_eq!(queue.get_nowait(), Ok("a"));
    first.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["second"];
    check_eq!(queue.get_nowait(), Ok("b"));
    check_eq!(queue.get_nowait(), Ok("second"));
    check_eq!(queue.get_nowait(), Err(GetNowaitError::Empty));
    Ok(())
}

fn a_get_that_timed_out_waits_no_more() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    let got = event_loop.run_until_complete(within(ms(10), queue.get()))?;
    check_eq!(got, None);
    queue.put_nowait("item")?;
    // Nobody was woken: nothing is ready.
    check!(!event_loop.has_ready(), "somebody still waited");
    check_eq!(queue.get_nowait(), Ok("item"));
    Ok(())
}

fn several_free_places_call_as_many_putters() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    for item in ["c", "d", "e"] {
        drop(event_loop.create_task(put(queue, item))?);
    }
    event_loop.turn(NOW)?;
    check_events![];
    check_eq!(queue.get_nowait(), Ok("a"));
    check_eq!(queue.get_nowait(), Ok("b"));
    event_loop.turn(NOW)?;
    check_events!["c", "d"];
    check!(queue.full(), "places were left free");
    Ok(())
}

fn a_getter_that_was_too_late_has_the_next_item() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    drop(event_loop.create_task(get(queue, "first"))?);
    drop(event_loop.create_task(get(queue, "second"))?);
    event_loop.turn(NOW)?;
    queue.put_nowait("stolen")?;
    check_eq!(queue.get_nowait(), Ok("stolen"));
    event_loop.turn(NOW)?;
    check_events![];
    queue.put_nowait("next")?;
    event_loop.turn(NOW)?;
    check_events!["first", "next"];
    Ok(())
}

fn an_empty_queue_is_joined_at_once_and_has_nothing_to_be_done() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    event_loop.run_until_complete(async {
        drop(create_task(say("other"))?);
        queue.join().await;
        queue.join().await;
        event("joined");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["joined", "other"];
    check_eq!(queue.task_done(), Err(TooManyDone));
    queue.put_nowait("a")?;
    queue.task_done()?;
    check_eq!(queue.task_done(), Err(TooManyDone));
    Ok(())
}

fn shutting_an_empty_queue_down_tells_who_waits() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    drop(event_loop.create_task(get(queue, "first"))?);
    drop(event_loop.create_task(get(queue, "second"))?);
    event_loop.turn(NOW)?;
    queue.shutdown();
    check_events![];
    event_loop.turn(NOW)?;
    check_events!["first", "nothing: shut down", "second", "nothing: shut down"];
    check_eq!(queue.put_nowait("a"), Err(PutNowaitError::ShutDown("a")));
    check_eq!(queue.get_nowait(), Err(GetNowaitError::ShutDown));
    check_eq!(event_loop.run_until_complete(queue.put("b"))?, Err(PutError("b")));
    check_eq!(event_loop.run_until_complete(queue.get())?, Err(GetError));
    event_loop.run_until_complete(queue.join())?;
    Ok(())
}

fn a_queue_that_is_shut_down_is_emptied_first() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    drop(event_loop.create_task(put(queue, "late"))?);
    drop(event_loop.create_task(join(queue, "joined"))?);
    event_loop.turn(NOW)?;
    queue.shutdown();
    event_loop.turn(NOW)?;
    check_events!["late", "refused: shut down"];
    check_eq!(queue.get_nowait(), Ok("a"));
    check_eq!(event_loop.run_until_complete(queue.get())?, Ok("b"));
    check_eq!(queue.get_nowait(), Err(GetNowaitError::ShutDown));
    queue.task_done()?;
    event_loop.turn(NOW)?;
    check_events!["late", "refused: shut down"];
    queue.task_done()?;
    event_loop.turn(NOW)?;
    check_events!["late", "refused: shut down", "joined"];
    Ok(())
}

fn an_immediate_shutdown_counts_what_it_drops_as_done() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    check_eq!(queue.get_nowait(), Ok("a"));
    drop(event_loop.create_task(join(queue, "joined"))?);
    event_loop.turn(NOW)?;
    queue.shutdown_immediately();
    check!(queue.empty(), "an item is left");
    event_loop.turn(NOW)?;
    check_events![];
    queue.task_done()?;
    event_loop.turn(NOW)?;
    check_events!["joined"];
    check_eq!(queue.task_done(), Err(TooManyDone));
    Ok(())
}

fn items_leave_in_the_order_of_the_queue() -> Outcome {
    let (fifo, lifo, lowest) =
        (Queue::<u8, 3>::new(), LifoQueue::<u8, 3>::new(), PriorityQueue::<u8, 3>::new());
    for item in [1, 3, 2] {
        fifo.put_nowait(item)?;
        lifo.put_nowait(item)?;
        lowest.put_nowait(item)?;
    }
    check!(fifo.full() && lifo.full() && lowest.full(), "a queue is not full");
    for item in [1, 3, 2] {
        check_eq!(fifo.get_nowait(), Ok(item));
    }
    for item in [2, 3, 1] {
        check_eq!(lifo.get_nowait(), Ok(item));
    }
    for item in [1, 2, 3] {
        check_eq!(lowest.get_nowait(), Ok(item));
    }
    check!(fifo.empty() && lifo.empty() && lowest.empty(), "a queue is not empty");
    Ok(())
}

#[molen::task]
async fn put_three(queue: &'static Names<2>) {
    for item in ["a", "b", "c"] {
        if queue.put(item).await.is_ok() {
            event(item);
        }
    }
}

fn putters_wait_for_room_in_order_of_arrival() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    check_eq!(queue.maxsize(), Some(2));
    drop(event_loop.create_task(put_three(queue))?);
    drop(event_loop.create_task(put(queue, "d"))?);
    event_loop.turn(NOW)?;
    check_events!["a", "b"];
    for item in ["a", "b", "c", "d"] {
        check_eq!(queue.get_nowait(), Ok(item));
        event_loop.turn(NOW)?;
    }
    check_events!["a", "b", "c", "d"];
    Ok(())
}

#[molen::task]
async fn put_a_guard(queue: &'static Queue<OnDrop, 1>) {
    // The queue keeps it, or gives it back to be dropped.
    drop(queue.put(OnDrop("item dropped")).await);
    event("put");
}

fn a_put_that_is_dropped_drops_its_item() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Queue<OnDrop, 1> = Queue::new());
    let Ok(()) = queue.put_nowait(OnDrop("first dropped")) else {
        return Err(Failure::said("an empty queue is full"));
    };
    let task = event_loop.create_task(put_a_guard(queue))?;
    event_loop.turn(NOW)?;
    check_events![];
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["item dropped"];
    check_eq!(queue.qsize(), 1);
    drop(queue.get_nowait());
    check_events!["item dropped", "first dropped"];
    check!(queue.empty(), "the cancelled put was done");
    Ok(())
}

fn a_full_queue_gives_the_item_back() -> Outcome {
    let queue = Names::<1>::new();
    queue.put_nowait("a")?;
    check_eq!(queue.put_nowait("b"), Err(PutNowaitError::Full("b")));
    check_eq!(queue.get_nowait(), Ok("a"));
    queue.put_nowait("b")?;
    check_eq!(queue.get_nowait(), Ok("b"));
    check_eq!(queue.get_nowait(), Err(GetNowaitError::Empty));
    Ok(())
}

#[molen::task(pool_size = 2)]
async fn work(queue: &'static Names<2>) {
    while let Ok(item) = queue.get().await {
        yield_now().await;
        event(item);
        if queue.task_done().is_err() {
            event("too many");
        }
    }
}

fn joiners_wait_until_all_work_is_done() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    drop(event_loop.create_task(work(queue))?);
    drop(event_loop.create_task(work(queue))?);
    event_loop.run_until_complete(async {
        for item in ["a", "b", "c", "d", "e"] {
            queue.put(item).await?;
        }
        drop(create_task(join(queue, "joined too"))?);
        queue.join().await;
        event("joined");
        queue.shutdown();
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["a", "b", "c", "d", "e", "joined", "joined too"];
    Ok(())
}

fn putting_runs_nothing_inline() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    drop(event_loop.create_task(get(queue, "getter"))?);
    event_loop.turn(NOW)?;
    event_loop.run_until_complete(async {
        queue.put("item").await?;
        event("put");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["put", "getter", "item"];
    Ok(())
}

fn an_immediate_shutdown_drops_items_and_tells_who_waits() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Queue<OnDrop, 1> = Queue::new());
    let Ok(()) = queue.put_nowait(OnDrop("first dropped")) else {
        return Err(Failure::said("an empty queue is full"));
    };
    drop(event_loop.create_task(put_a_guard(queue))?);
    event_loop.turn(NOW)?;
    queue.shutdown_immediately();
    check_events!["first dropped"];
    event_loop.turn(NOW)?;
    check_events!["first dropped", "item dropped", "put"];
    Ok(())
}

fn getters_that_were_too_late_keep_their_order() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    for name in ["first", "second", "third"] {
        drop(event_loop.create_task(get(queue, name))?);
    }
    event_loop.turn(NOW)?;
    for stolen in ["a", "b"] {
        queue.put_nowait(stolen)?;
    }
    check!(queue.get_nowait().is_ok() && queue.get_nowait().is_ok(), "nothing to steal");
    event_loop.turn(NOW)?;
    for item in ["c", "d"] {
        queue.put_nowait(item)?;
    }
    event_loop.turn(NOW)?;
    check_events!["first", "c", "second", "d"];
    queue.put_nowait("e")?;
    event_loop.turn(NOW)?;
    check_events!["first", "c", "second", "d", "third", "e"];
    Ok(())
}

fn a_putter_that_was_too_late_keeps_its_place() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    queue.put_nowait("b")?;
    drop(event_loop.create_task(put(queue, "first"))?);
    drop(event_loop.create_task(put(queue, "second"))?);
    event_loop.turn(NOW)?;
    check_eq!(queue.get_nowait(), Ok("a"));
    queue.put_nowait("quick")?;
    event_loop.turn(NOW)?;
    check_events![];
    check_eq!(queue.get_nowait(), Ok("b"));
    event_loop.turn(NOW)?;
    check_events!["first"];
    Ok(())
}

fn joiners_are_told_even_if_more_is_put_at_once() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    queue.put_nowait("a")?;
    drop(event_loop.create_task(join(queue, "joined"))?);
    event_loop.turn(NOW)?;
    queue.task_done()?;
    queue.put_nowait("b")?;
    event_loop.turn(NOW)?;
    check_events!["joined"];
    Ok(())
}

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
fn a_queue_on_the_heap_grows_or_has_a_bound() -> Outcome {
    use molen::sync::{GrowingLifoQueue, GrowingPriorityQueue, GrowingQueue};
    let (queue, last, lowest) =
        (GrowingQueue::new(), GrowingLifoQueue::with_maxsize(2), GrowingPriorityQueue::new());
    for item in 0..100 {
        queue.put_nowait(item)?;
        lowest.put_nowait(99 - item)?;
    }
    check!(!queue.full() && queue.maxsize().is_none(), "it has a bound");
    for item in 0..100 {
        check_eq!(queue.get_nowait(), Ok(item));
        check_eq!(lowest.get_nowait(), Ok(item));
    }
    last.put_nowait(1)?;
    last.put_nowait(2)?;
    check_eq!(last.put_nowait(3), Err(PutNowaitError::Full(3)));
    check_eq!(last.get_nowait(), Ok(2));
    Ok(())
}

#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
fn a_queue_on_the_heap_grows_or_has_a_bound() -> Outcome {
    Err(Failure::Unsupported("there is no allocator"))
}

fn getting_what_is_there_does_not_yield() -> Outcome {
    let event_loop = new_loop!();
    let queue = static_ref!(Names<2> = Queue::new());
    event_loop.run_until_complete(async {
        drop(create_task(say("other"))?);
        queue.put("a").await?;
        check_eq!(queue.get().await, Ok("a"));
        event("got");
        yield_now().await;
        Ok(())
    })??;
    check_events!["got", "other"];
    Ok(())
}
