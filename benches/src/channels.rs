//! Libraries of channels, each a column of the rows about channels.

use crate::row::Row;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};
use futures::StreamExt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;

/// What a library must offer.
pub trait Library: 'static {
    /// Column name.
    const NAME: &'static str;

    /// Why it cannot do `row`, or `None` when it can.
    fn lacks(row: Row) -> Option<&'static str> {
        let _ = row;
        None
    }

    /// A queue for `N` items between tasks of one thread.
    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static);

    /// A channel for one value, made anew for each.
    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static);

    /// A place for the latest value, that other threads may share.
    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static);

    /// A channel for `N` values, that other threads may share. Sending is
    /// tried, and false when it is full.
    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static);
}

/// The end that is put into.
pub trait Put {
    /// Waits for room.
    fn put(&mut self, item: u64) -> impl Future<Output = ()>;
}

/// The end that is got from.
pub trait Get {
    /// Waits for an item.
    fn get(&mut self) -> impl Future<Output = u64>;
}

macro_rules! put {
    ($(const $n:ident,)? $type:ty, |$end:ident, $item:ident| $put:expr) => {
        impl<$(const $n: usize)?> Put for $type {
            async fn put(&mut self, $item: u64) {
                let $end = self;
                $put
            }
        }
    };
}

macro_rules! get {
    ($(const $n:ident,)? $type:ty, |$end:ident| $get:expr) => {
        impl<$(const $n: usize)?> Get for $type {
            async fn get(&mut self) -> u64 {
                let $end = self;
                $get
            }
        }
    };
}

/// Molen's own.
pub struct Molen;

put!(const N, Rc<molen::Queue<u64, N>>, |end, item| {
    let Ok(()) = (**end).put(item).await else { panic!("shut down") };
});
get!(const N, Rc<molen::Queue<u64, N>>, |end| {
    let Ok(item) = (**end).get().await else { panic!("shut down") };
    item
});
get!(Arc<molen::sync::Signal<u64>>, |end| end.wait().await);
get!(const N, Arc<molen::sync::Channel<u64, N>>, |end| end.receive().await);

impl Library for Molen {
    const NAME: &'static str = "molen";

    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static) {
        let queue = Rc::new(molen::Queue::<u64, N>::new());
        (queue.clone(), queue)
    }

    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static) {
        let (sender, receiver) = molen::sync::oneshot::channel();
        let send = |value| sender.send(value).expect("a receiver");
        (send, async { receiver.await.expect("a value") })
    }

    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static) {
        let signal = Arc::new(molen::sync::Signal::new());
        let end = signal.clone();
        (move |value| end.signal(value), signal)
    }

    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static) {
        let channel = Arc::new(molen::sync::Channel::<u64, N>::new());
        let end = channel.clone();
        (move |value| end.try_send(value).is_ok(), channel)
    }
}

/// tokio::sync: `mpsc`, `oneshot`, `watch`.
pub struct TokioSync;

put!(tokio::sync::mpsc::Sender<u64>, |end, item| end.send(item).await.expect("a receiver"));
get!(tokio::sync::mpsc::Receiver<u64>, |end| end.recv().await.expect("a sender"));
get!(tokio::sync::watch::Receiver<u64>, |end| {
    end.changed().await.expect("a sender");
    *end.borrow_and_update()
});

impl Library for TokioSync {
    const NAME: &'static str = "tokio-sync";

    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static) {
        tokio::sync::mpsc::channel(N)
    }

    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let send = |value| sender.send(value).expect("a receiver");
        (send, async { receiver.await.expect("a value") })
    }

    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static) {
        let (sender, receiver) = tokio::sync::watch::channel(0);
        (move |value| sender.send(value).expect("a receiver"), receiver)
    }

    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static) {
        let (sender, receiver) = tokio::sync::mpsc::channel(N);
        (move |value| sender.try_send(value).is_ok(), receiver)
    }
}

/// async-channel, one kind for all.
pub struct AsyncChannel;

put!(async_channel::Sender<u64>, |end, item| end.send(item).await.expect("a receiver"));
get!(async_channel::Receiver<u64>, |end| end.recv().await.expect("a sender"));

impl Library for AsyncChannel {
    const NAME: &'static str = "async-channel";

    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static) {
        async_channel::bounded(N)
    }

    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static) {
        let (sender, receiver) = async_channel::bounded(1);
        let send = move |value| sender.try_send(value).expect("a receiver");
        (send, async move { receiver.recv().await.expect("a value") })
    }

    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static) {
        let (sender, receiver) = async_channel::bounded(1);
        (move |value| assert!(sender.force_send(value).is_ok()), receiver)
    }

    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static) {
        let (sender, receiver) = async_channel::bounded(N);
        (move |value| sender.try_send(value).is_ok(), receiver)
    }
}

/// futures::channel: `mpsc`, `oneshot`.
pub struct FuturesChannel;

put!(futures::channel::mpsc::Sender<u64>, |end, item| {
    poll_fn(|cx| end.poll_ready(cx)).await.expect("a receiver");
    end.start_send(item).expect("room");
});
get!(futures::channel::mpsc::Receiver<u64>, |end| end.next().await.expect("a sender"));

impl Library for FuturesChannel {
    const NAME: &'static str = "futures-channel";

    fn lacks(row: Row) -> Option<&'static str> {
        (row == Row::Signal).then_some("nothing that keeps the latest value")
    }

    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static) {
        // Each sender has one place more.
        futures::channel::mpsc::channel(N - 1)
    }

    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static) {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let send = |value| sender.send(value).expect("a receiver");
        (send, async { receiver.await.expect("a value") })
    }

    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static) {
        let (mut sender, receiver) = futures::channel::mpsc::channel(0);
        (move |value| sender.try_send(value).expect("room"), receiver)
    }

    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static) {
        let (mut sender, receiver) = futures::channel::mpsc::channel(N - 1);
        (move |value| sender.try_send(value).is_ok(), receiver)
    }
}

/// embassy-sync: without locks for one thread, in critical sections for several.
pub struct EmbassySync;

type OneThread<const N: usize> = embassy_sync::channel::Channel<NoopRawMutex, u64, N>;
type Shared<const N: usize> = embassy_sync::channel::Channel<CriticalSectionRawMutex, u64, N>;
type LocalSignal = embassy_sync::signal::Signal<NoopRawMutex, u64>;
type SharedSignal = embassy_sync::signal::Signal<CriticalSectionRawMutex, u64>;

put!(const N, Rc<OneThread<N>>, |end, item| end.send(item).await);
get!(const N, Rc<OneThread<N>>, |end| end.receive().await);
get!(const N, Arc<Shared<N>>, |end| end.receive().await);
get!(Arc<SharedSignal>, |end| end.wait().await);

impl Library for EmbassySync {
    const NAME: &'static str = "embassy-sync";

    fn queue<const N: usize>() -> (impl Put + 'static, impl Get + 'static) {
        let queue = Rc::new(OneThread::<N>::new());
        (queue.clone(), queue)
    }

    fn oneshot() -> (impl FnOnce(u64) + 'static, impl Future<Output = u64> + 'static) {
        let signal = Rc::new(LocalSignal::new());
        let end = signal.clone();
        (move |value| end.signal(value), async move { signal.wait().await })
    }

    fn signal() -> (impl FnMut(u64) + 'static, impl Get + 'static) {
        let signal = Arc::new(SharedSignal::new());
        let end = signal.clone();
        (move |value| end.signal(value), signal)
    }

    fn channel<const N: usize>() -> (impl FnMut(u64) -> bool + Send + 'static, impl Get + 'static) {
        let channel = Arc::new(Shared::<N>::new());
        let end = channel.clone();
        (move |value| end.try_send(value).is_ok(), channel)
    }
}
