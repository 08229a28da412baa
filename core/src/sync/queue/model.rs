//! Queues against a model that cannot be wrong: a vector of items, a list of
//! those who wait in order of arrival, and the log of who was woken.
//!
//! What must hold after each step: nothing is lost, doubled or out of order;
//! who is woken is the first who was not; and where there is something to get
//! (or room) for somebody who waits, somebody is on the way to it.

extern crate std;

use super::{
    Get, GetNowaitError, GrowingLifoQueue, GrowingPriorityQueue, GrowingQueue, Items, Join,
    LifoQueue, PriorityQueue, Put, PutNowaitError, Queue, QueueOf,
};
use core::future::Future as _;
use proptest::prelude::*;
use std::boxed::Box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::vec;
use std::vec::Vec;

/// One thing that a program does with a queue.
#[derive(Clone, Debug)]
enum Step {
    /// Begins to put an item of this rank, and polls once.
    Put(u8),
    Get,
    Join,
    PutNowait(u8),
    GetNowait,
    TaskDone,
    /// Polls the longest woken of those who wait, as a loop does.
    PollWoken,
    /// Polls the nth of those who wait, woken or not, modulo their number.
    Poll(prop::sample::Index),
    Drop(prop::sample::Index),
    ShutDown,
    ShutDownImmediately,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u8>().prop_map(Step::Put),
        8 => Just(Step::Get),
        2 => Just(Step::Join),
        6 => any::<u8>().prop_map(Step::PutNowait),
        6 => Just(Step::GetNowait),
        6 => Just(Step::TaskDone),
        10 => Just(Step::PollWoken),
        4 => any::<prop::sample::Index>().prop_map(Step::Poll),
        6 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => Just(Step::ShutDown),
        1 => Just(Step::ShutDownImmediately),
    ]
}

/// Rank, then the number of the item: no two are equal.
type Item = (u8, usize);

struct Named {
    name: usize,
    log: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push(self.name);
    }
}

enum Future<'a, I: Items> {
    Put(Pin<Box<Put<'a, I>>>, Item),
    Get(Pin<Box<Get<'a, I>>>),
    Join(Pin<Box<Join<'a, I>>>),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Put,
    Get,
    Join,
}

struct Waiting<'a, I: Items> {
    name: usize,
    /// Polled once at least.
    begun: bool,
    woken: bool,
    future: Future<'a, I>,
}

impl<I: Items> Waiting<'_, I> {
    fn kind(&self) -> Kind {
        match self.future {
            Future::Put(..) => Kind::Put,
            Future::Get(_) => Kind::Get,
            Future::Join(_) => Kind::Join,
        }
    }
}

struct Model<'a, I: Items<Item = Item>> {
    queue: &'a QueueOf<I>,
    /// Which of the items, in order of arrival, is next.
    next: fn(&[Item]) -> usize,
    maxsize: usize,
    items: Vec<Item>,
    unfinished: usize,
    shut_down: bool,
    /// In order of arrival.
    waiting: Vec<Waiting<'a, I>>,
    /// Joiners for whom all was done once.
    joined: Vec<usize>,
    /// In order of waking.
    woken: Vec<usize>,
    log: Arc<Mutex<Vec<usize>>>,
    names: usize,
}

impl<'a, I: Items<Item = Item>> Model<'a, I> {
    fn item(&mut self, rank: u8) -> Item {
        self.names += 1;
        (rank, self.names)
    }

    fn has_room(&self) -> bool {
        self.items.len() < self.maxsize
    }

    fn note_put(&mut self, item: Item) {
        assert!(self.has_room() && !self.shut_down, "{item:?} was put");
        self.items.push(item);
        self.unfinished += 1;
    }

    fn note_got(&mut self, item: Item) {
        assert_eq!(self.items.remove((self.next)(&self.items)), item);
    }

    fn note_done(&mut self) {
        if self.unfinished == 0 {
            let joiners = self.waiting.iter().filter(|it| it.kind() == Kind::Join);
            self.joined.extend(joiners.map(|it| it.name));
        }
    }

    fn start(&mut self, future: Future<'a, I>) {
        self.names += 1;
        let waiting = Waiting { name: self.names, begun: false, woken: false, future };
        self.poll(self.waiting.len(), waiting);
    }

    /// Polls one who was taken out, and puts it back at `place` if it goes on waiting.
    fn poll(&mut self, place: usize, mut waiting: Waiting<'a, I>) {
        let name = waiting.name;
        let waker = Waker::from(Arc::new(Named { name, log: self.log.clone() }));
        let cx = &mut Context::from_waker(&waker);
        let pending = match &mut waiting.future {
            Future::Put(put, item) => match put.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => {
                    self.note_put(*item);
                    false
                }
                Poll::Ready(Err(error)) => {
                    assert!(self.shut_down && error.0 == *item);
                    false
                }
                Poll::Pending => {
                    assert!(!self.has_room() && !self.shut_down);
                    true
                }
            },
            Future::Get(get) => match get.as_mut().poll(cx) {
                Poll::Ready(Ok(item)) => {
                    self.note_got(item);
                    false
                }
                Poll::Ready(Err(_)) => {
                    assert!(self.shut_down && self.items.is_empty());
                    false
                }
                Poll::Pending => {
                    assert!(self.items.is_empty() && !self.shut_down);
                    true
                }
            },
            Future::Join(join) => {
                let pending = join.as_mut().poll(cx).is_pending();
                let done =
                    if waiting.begun { self.joined.contains(&name) } else { self.unfinished == 0 };
                assert_eq!(pending, !done, "a joiner");
                pending
            }
        };
        self.woken.retain(|woken| *woken != name);
        if pending {
            (waiting.begun, waiting.woken) = (true, false);
            self.waiting.insert(place, waiting);
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Put(rank) => {
                let item = self.item(*rank);
                self.start(Future::Put(Box::pin(self.queue.put(item)), item));
            }
            Step::Get => self.start(Future::Get(Box::pin(self.queue.get()))),
            Step::Join => self.start(Future::Join(Box::pin(self.queue.join()))),
            Step::PutNowait(rank) => {
                let item = self.item(*rank);
                match self.queue.put_nowait(item) {
                    Ok(()) => self.note_put(item),
                    Err(PutNowaitError::Full(back)) => {
                        assert!(back == item && !self.has_room() && !self.shut_down);
                    }
                    Err(PutNowaitError::ShutDown(back)) => {
                        assert!(back == item && self.shut_down);
                    }
                }
            }
            Step::GetNowait => match self.queue.get_nowait() {
                Ok(item) => self.note_got(item),
                Err(GetNowaitError::Empty) => assert!(self.items.is_empty() && !self.shut_down),
                Err(GetNowaitError::ShutDown) => assert!(self.items.is_empty() && self.shut_down),
            },
            Step::TaskDone => {
                let done = self.queue.task_done();
                assert_eq!(done.is_ok(), self.unfinished > 0);
                if done.is_ok() {
                    self.unfinished -= 1;
                    self.note_done();
                }
            }
            Step::PollWoken => {
                let Some(name) = self.woken.first() else { return };
                let place = self.waiting.iter().position(|it| it.name == *name).unwrap();
                let waiting = self.waiting.remove(place);
                self.poll(place, waiting);
            }
            Step::Poll(index) if !self.waiting.is_empty() => {
                let place = index.index(self.waiting.len());
                let waiting = self.waiting.remove(place);
                self.poll(place, waiting);
            }
            Step::Drop(index) if !self.waiting.is_empty() => {
                let dropped = self.waiting.remove(index.index(self.waiting.len()));
                self.woken.retain(|woken| *woken != dropped.name);
            }
            Step::Poll(_) | Step::Drop(_) => {}
            Step::ShutDown => {
                self.queue.shutdown();
                self.shut_down = true;
            }
            Step::ShutDownImmediately => {
                self.queue.shutdown_immediately();
                self.shut_down = true;
                self.unfinished = self.unfinished.saturating_sub(self.items.len());
                self.items.clear();
                self.note_done();
            }
        }
    }

    /// Takes in who was woken, and checks that it was who had to be.
    fn check(&mut self) {
        for name in self.log.lock().unwrap().drain(..) {
            let kind = self.waiting.iter().find(|it| it.name == name).unwrap().kind();
            let first = self.waiting.iter_mut().find(|it| it.kind() == kind && !it.woken).unwrap();
            assert_eq!(first.name, name, "woken out of turn");
            first.woken = true;
            self.woken.push(name);
        }
        let count = |kind, woken: bool| {
            self.waiting.iter().filter(|it| it.kind() == kind && (!woken || it.woken)).count()
        };
        let (room, all) = (self.maxsize - self.items.len(), usize::MAX);
        let getting = if self.shut_down { all } else { self.items.len() };
        let putting = if self.shut_down { all } else { room };
        assert!(count(Kind::Get, true) >= count(Kind::Get, false).min(getting), "no getter comes");
        assert!(count(Kind::Put, true) >= count(Kind::Put, false).min(putting), "no putter comes");
        for joiner in self.waiting.iter().filter(|it| it.kind() == Kind::Join) {
            assert_eq!(joiner.woken, self.joined.contains(&joiner.name), "a joiner");
        }
        assert_eq!(self.queue.qsize(), self.items.len());
        assert_eq!(self.queue.full(), self.items.len() == self.maxsize);
        assert_eq!(self.queue.empty(), self.items.is_empty());
    }
}

fn run<I: Items<Item = Item>>(queue: &QueueOf<I>, next: fn(&[Item]) -> usize, steps: &[Step]) {
    let mut model = Model {
        queue,
        next,
        maxsize: queue.maxsize().unwrap_or(usize::MAX),
        items: Vec::new(),
        unfinished: 0,
        shut_down: false,
        waiting: Vec::new(),
        joined: Vec::new(),
        woken: Vec::new(),
        log: Arc::default(),
        names: 0,
    };
    for step in steps {
        model.apply(step);
        model.check();
    }
}

fn first(_items: &[Item]) -> usize {
    0
}

fn last(items: &[Item]) -> usize {
    items.len() - 1
}

fn lowest(items: &[Item]) -> usize {
    (0..items.len()).min_by_key(|place| items[*place]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 256 }))]

    #[test]
    fn queues_are_as_the_model(steps in prop::collection::vec(step(), 0..120)) {
        run(&Queue::<Item, 2>::new(), first, &steps);
        run(&LifoQueue::<Item, 3>::new(), last, &steps);
        run(&PriorityQueue::<Item, 1>::new(), lowest, &steps);
        run(&GrowingQueue::new(), first, &steps);
        run(&GrowingLifoQueue::with_maxsize(2), last, &steps);
        run(&GrowingPriorityQueue::with_maxsize(3), lowest, &steps);
    }
}
