//! One value from task to task, and values from interrupts and threads.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, test};
use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use molen::Duration;
use molen::io::Wait;
use molen::sync::oneshot::{self, ReceiverDropped, SenderDropped};
use molen::sync::{Channel, Signal};
use molen::testing::{Step, static_ref};

pub(crate) const CASES: &[Case] = &[
    case!(1370, a_oneshot_brings_one_value),
    case!(1371, a_receiver_is_told_that_nothing_will_come),
    case!(1372, a_sender_without_a_receiver_has_the_value_back),
    case!(1373, a_oneshots_place_is_used_again_when_both_ends_are_gone),
    case!(1374, a_value_waits_for_a_receiver_that_stopped_waiting),
    case!(1375, a_value_that_nobody_received_is_dropped),
    case!(1376, a_oneshot_on_the_heap),
    case!(1380, a_signal_keeps_the_latest_value),
    case!(1381, a_signal_of_an_interrupt_wakes_the_loop),
    case!(1382, a_signal_that_was_reset_has_no_value),
    case!(1383, a_wait_for_a_signal_that_is_dropped_takes_nothing),
    case!(1384, values_of_an_interrupt_arrive_in_order),
    case!(1385, a_full_channel_gives_the_value_back),
    case!(1386, a_second_who_waits_does_not_leave_the_first_asleep),
    case!(1387, a_channel_needs_no_loop),
    case!(1388, values_of_several_threads_arrive_each_once),
    case!(1389, a_signal_of_another_thread_wakes_the_loop),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

type Place = oneshot::Slot<&'static str>;
type Sender = oneshot::Sender<&'static Place>;
type Receiver = oneshot::Receiver<&'static Place>;

fn open(place: &'static Place) -> Result<(Sender, Receiver), Failure> {
    place.open().ok_or(Failure::said("the place is taken"))
}

#[molen::task(pool_size = 2)]
async fn receive_one(receiver: Receiver) {
    event(receiver.await.unwrap_or("nothing will come"));
}

fn a_oneshot_brings_one_value() -> Outcome {
    let event_loop = new_loop!();
    let (sender, receiver) = open(static_ref!(Place = oneshot::Slot::new()))?;
    drop(event_loop.create_task(receive_one(receiver))?);
    event_loop.turn(NOW)?;
    check_eq!(sender.send("value"), Ok(()));
    check_events![];
    event_loop.turn(NOW)?;
    check_events!["value"];
    Ok(())
}

fn a_receiver_is_told_that_nothing_will_come() -> Outcome {
    let event_loop = new_loop!();
    let (sender, receiver) = open(static_ref!(Place = oneshot::Slot::new()))?;
    drop(event_loop.create_task(receive_one(receiver))?);
    event_loop.turn(NOW)?;
    drop(sender);
    event_loop.turn(NOW)?;
    check_events!["nothing will come"];
    Ok(())
}

fn a_sender_without_a_receiver_has_the_value_back() -> Outcome {
    let (sender, receiver) = open(static_ref!(Place = oneshot::Slot::new()))?;
    check!(!sender.is_closed(), "it is closed too early");
    drop(receiver);
    check!(sender.is_closed(), "it is not closed");
    check_eq!(sender.send("value"), Err(ReceiverDropped("value")));
    Ok(())
}

fn a_oneshots_place_is_used_again_when_both_ends_are_gone() -> Outcome {
    let place = static_ref!(Place = oneshot::Slot::new());
    let (sender, mut receiver) = open(place)?;
    check!(place.open().is_none(), "there are two pairs of ends");
    check_eq!(sender.send("first"), Ok(()));
    check!(place.open().is_none(), "there are three ends");
    check_eq!(receiver.try_receive(), Some(Ok("first")));
    check_eq!(receiver.try_receive(), Some(Err(SenderDropped)));
    drop(receiver);
    let (sender, mut receiver) = open(place)?;
    check_eq!(receiver.try_receive(), None);
    check_eq!(sender.send("second"), Ok(()));
    check_eq!(receiver.try_receive(), Some(Ok("second")));
    Ok(())
}

#[molen::task]
async fn receive_elsewhere(place: &'static Slot<Receiver>) {
    // Taken out, waited for, and put back when this task is cancelled.
    struct PutBack(&'static Slot<Receiver>, Option<Receiver>);
    impl Drop for PutBack {
        fn drop(&mut self) {
            self.0.set(self.1.take());
        }
    }
    let mut receiver = PutBack(place, place.take());
    if let Some(receiver) = &mut receiver.1 {
        event("waits");
        event(receiver.await.unwrap_or("nothing will come"));
    }
}

fn a_value_waits_for_a_receiver_that_stopped_waiting() -> Outcome {
    let event_loop = new_loop!();
    let (sender, receiver) = open(static_ref!(Place = oneshot::Slot::new()))?;
    let slot = static_ref!(Slot<Receiver> = Cell::new(None));
    slot.set(Some(receiver));
    let task = event_loop.create_task(receive_elsewhere(slot))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_eq!(sender.send("value"), Ok(()));
    let Some(receiver) = slot.take() else {
        return Err(Failure::said("the receiver is gone"));
    };
    check_eq!(event_loop.run_until_complete(receiver)?, Ok("value"));
    check_events!["waits"];
    Ok(())
}

fn a_value_that_nobody_received_is_dropped() -> Outcome {
    let slot = oneshot::Slot::new();
    let Some((sender, receiver)) = slot.open() else {
        return Err(Failure::said("the place is taken"));
    };
    check!(sender.send(OnDrop("value dropped")).is_ok(), "it was not sent");
    check_events![];
    drop(receiver);
    check_events!["value dropped"];
    Ok(())
}

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
fn a_oneshot_on_the_heap() -> Outcome {
    let event_loop = new_loop!();
    let (sender, receiver) = oneshot::channel();
    drop(event_loop.create_task(async move { sender.send(7) })?);
    check_eq!(event_loop.run_until_complete(receiver)?, Ok(7));
    let (sender, receiver) = oneshot::channel::<u8>();
    drop(sender);
    check_eq!(event_loop.run_until_complete(receiver)?, Err(SenderDropped));
    Ok(())
}

#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
fn a_oneshot_on_the_heap() -> Outcome {
    Err(Failure::Unsupported("there is no allocator"))
}

#[molen::task(pool_size = 2)]
async fn say_signals(signal: &'static Signal<&'static str>) {
    loop {
        event(signal.wait().await);
    }
}

#[molen::task(pool_size = 2)]
async fn say_values(channel: &'static Channel<&'static str, 2>) {
    loop {
        event(channel.receive().await);
    }
}

fn a_signal_keeps_the_latest_value() -> Outcome {
    let event_loop = new_loop!();
    let signal = static_ref!(Signal<&'static str> = Signal::new());
    drop(event_loop.create_task(say_signals(signal))?);
    event_loop.turn(NOW)?;
    signal.signal("first");
    signal.signal("second");
    check!(signal.signaled(), "there is no value");
    event_loop.turn(NOW)?;
    check_events!["second"];
    check!(!signal.signaled(), "the value was not taken");
    signal.signal("third");
    event_loop.turn(NOW)?;
    check_events!["second", "third"];
    Ok(())
}

fn a_signal_of_an_interrupt_wakes_the_loop() -> Outcome {
    static SIGNAL: Signal<&'static str> = Signal::new();
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_signals(&SIGNAL))?);
    event_loop.call_at(at(60_000), || event("timer"))?;
    event_loop.turn(NOW)?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::Until(at(60_000))).then_call(|_| SIGNAL.signal("interrupt")),
                Step::expect(Wait::Until(at(60_000))),
            ]
        },
    );
    event_loop.turn(None)?;
    check_events!["interrupt"];
    event_loop.turn(None)?;
    test().backend.check_script()?;
    check_events!["interrupt", "timer"];
    Ok(())
}

fn a_signal_that_was_reset_has_no_value() -> Outcome {
    let signal = Signal::new();
    check_eq!(signal.try_take(), None);
    signal.signal(1);
    signal.reset();
    check_eq!(signal.try_take(), None);
    signal.signal(2);
    check_eq!(signal.try_take(), Some(2));
    check_eq!(signal.try_take(), None);
    Ok(())
}

fn a_wait_for_a_signal_that_is_dropped_takes_nothing() -> Outcome {
    let event_loop = new_loop!();
    let signal = static_ref!(Signal<&'static str> = Signal::new());
    let task = event_loop.create_task(say_signals(signal))?;
    event_loop.turn(NOW)?;
    signal.signal("value");
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "the task was not cancelled");
    check_eq!(event_loop.run_until_complete(signal.wait())?, "value");
    check_events![];
    Ok(())
}

fn values_of_an_interrupt_arrive_in_order() -> Outcome {
    static CHANNEL: Channel<&str, 2> = Channel::new();
    fn send(value: &'static str) {
        if CHANNEL.try_send(value).is_err() {
            event("full");
        }
    }
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_values(&CHANNEL))?);
    event_loop.turn(NOW)?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::Forever).then_call(|_| {
                    send("a");
                    send("b");
                    send("c");
                }),
                Step::expect(Wait::Forever).then_call(|_| send("d")),
            ]
        },
    );
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    test().backend.check_script()?;
    check_events!["full", "a", "b", "d"];
    Ok(())
}

fn a_full_channel_gives_the_value_back() -> Outcome {
    let channel = Channel::<u8, 2>::new();
    check_eq!(channel.capacity(), 2);
    channel.try_send(1)?;
    channel.try_send(2)?;
    check!(channel.is_full(), "it is not full");
    check_matches!(channel.try_send(3), Err(molen::Full(3)));
    check_eq!(channel.try_receive(), Some(1));
    channel.try_send(3)?;
    check_eq!(channel.len(), 2);
    check_eq!(channel.try_receive(), Some(2));
    check_eq!(channel.try_receive(), Some(3));
    check_eq!(channel.try_receive(), None);
    check!(channel.is_empty(), "it is not empty");
    Ok(())
}

fn a_second_who_waits_does_not_leave_the_first_asleep() -> Outcome {
    let event_loop = new_loop!();
    let channel = static_ref!(Channel<&'static str, 2> = Channel::new());
    let first = event_loop.create_task(say_values(channel))?;
    event_loop.turn(NOW)?;
    let second = event_loop.create_task(say_values(channel))?;
    event_loop.turn(NOW)?;
    second.abort();
    // It may have been the one in whose place the waker is: the other was woken.
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    channel.try_send("value")?;
    event_loop.turn(NOW)?;
    check_events!["value"];
    check!(!first.done(), "the first has ended");
    Ok(())
}

fn a_channel_needs_no_loop() -> Outcome {
    let (channel, signal) = (Channel::<u8, 2>::new(), Signal::<u8>::new());
    let cx = &mut Context::from_waker(Waker::noop());
    let (mut receive, mut wait) = (pin!(channel.receive()), pin!(signal.wait()));
    check_eq!(receive.as_mut().poll(cx), Poll::Pending);
    check_eq!(wait.as_mut().poll(cx), Poll::Pending);
    channel.try_send(1)?;
    signal.signal(2);
    check_eq!(receive.as_mut().poll(cx), Poll::Ready(1));
    check_eq!(wait.as_mut().poll(cx), Poll::Ready(2));
    Ok(())
}

#[cfg(any(target_os = "none", target_os = "wasi"))]
fn values_of_several_threads_arrive_each_once() -> Outcome {
    Err(Failure::Unsupported("there are no threads on this platform"))
}

#[cfg(any(target_os = "none", target_os = "wasi"))]
fn a_signal_of_another_thread_wakes_the_loop() -> Outcome {
    Err(Failure::Unsupported("there are no threads on this platform"))
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
fn values_of_several_threads_arrive_each_once() -> Outcome {
    const THREADS: usize = 3;
    const EACH: usize = 500;
    static CHANNEL: Channel<(usize, usize), 8> = Channel::new();
    let threads: std::vec::Vec<_> = (0..THREADS)
        .map(|thread| {
            std::thread::spawn(move || {
                for number in 0..EACH {
                    let mut value = (thread, number);
                    while let Err(molen::Full(back)) = CHANNEL.try_send(value) {
                        value = back;
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let seen = molen::run(async {
        let mut next = [0; THREADS];
        for _ in 0..THREADS * EACH {
            let (thread, number) = CHANNEL.receive().await;
            if next[thread] != number {
                break;
            }
            next[thread] += 1;
            molen::yield_now().await;
        }
        next
    })
    .map_err(|error| Failure::shown(&error))?;
    check_eq!(seen, [EACH; THREADS]);
    for thread in threads {
        check!(thread.join().is_ok(), "a thread panicked");
    }
    Ok(())
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
fn a_signal_of_another_thread_wakes_the_loop() -> Outcome {
    static THERE: Signal<usize> = Signal::new();
    static BACK: Signal<usize> = Signal::new();
    let echo = std::thread::spawn(|| {
        molen::run(async {
            loop {
                let number = THERE.wait().await;
                BACK.signal(number);
                if number == 0 {
                    break;
                }
            }
        })
    });
    let echoed = molen::run(async {
        for number in (0..200).rev() {
            THERE.signal(number);
            if BACK.wait().await != number {
                return false;
            }
        }
        true
    })
    .map_err(|error| Failure::shown(&error))?;
    check!(echoed, "another number came back");
    check!(echo.join().is_ok_and(|ended| ended.is_ok()), "the other loop failed");
    Ok(())
}
