//! The poller against a scripted `poll_oneoff`.

use super::poll::{PollOneoff, Poller};
use super::table::{CAPACITY, Table};
use crate::pace::Pace;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};
use molen_core::io::{Ready, SelectError, Wait};
use molen_core::time::Instant;
use wasi::{Errno, Event, Subscription};

/// One subscription as the tests look at it: the descriptor, or the timeout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Read(u32),
    Write(u32),
    Clock(u64),
}

type Answer<'a> = dyn Fn(&[Asked], &[u64]) -> Result<Vec<(u64, Errno)>, Errno> + 'a;

/// Answers each poll with `answer(what was asked, its userdata)`.
struct Script<'a> {
    answer: &'a Answer<'a>,
    polls: RefCell<Vec<Vec<Asked>>>,
}

impl<'a> Script<'a> {
    fn new(answer: &'a Answer<'a>) -> Script<'a> {
        Script { answer, polls: RefCell::new(Vec::new()) }
    }
}

impl PollOneoff for Script<'_> {
    fn poll_oneoff(&self, list: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
        assert!(!list.is_empty(), "a poll of nothing fails on every host");
        assert!(events.len() >= list.len(), "the host writes up to one event a subscription");
        // SAFETY: the tag says which part of the union was written.
        let asked = |one: &Subscription| unsafe {
            match one.u.tag {
                0 => {
                    assert_eq!(
                        (one.u.u.clock.id, one.u.u.clock.flags),
                        (wasi::CLOCKID_MONOTONIC, 0)
                    );
                    Asked::Clock(one.u.u.clock.timeout)
                }
                1 => Asked::Read(one.u.u.fd_read.file_descriptor),
                _ => Asked::Write(one.u.u.fd_write.file_descriptor),
            }
        };
        let asked = list.iter().map(asked).collect::<Vec<_>>();
        self.polls.borrow_mut().push(asked.clone());
        let userdata = list.iter().map(|one| one.userdata).collect::<Vec<_>>();
        let answer = (self.answer)(&asked, &userdata)?;
        for (event, (userdata, error)) in events.iter_mut().zip(&answer) {
            (event.userdata, event.error) = (*userdata, *error);
        }
        Ok(answer.len())
    }
}

/// Makes somebody wait for `direction` of each of `fds`.
fn waiting(table: &Table, fds: &[u32], direction: Ready) {
    for &fd in fds {
        let slot = table.insert(fd).expect("room for the test's descriptors");
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(slot.registration.poll_ready(&mut cx, direction), Poll::Pending);
    }
}

fn ready(table: &Table, index: usize) -> Ready {
    table.get(index).expect("a registered slot").registration.ready()
}

#[test]
fn with_nothing_to_wait_for_the_host_is_not_called() {
    let host = Script::new(&|_, _| Ok(vec![]));
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    let select = |timeout| poller.select(&host, &table, &pace, timeout);
    assert_eq!(select(None), Err(SelectError::NothingToWaitFor));
    assert_eq!(select(Some(0)), Ok(()));
    assert!(host.polls.borrow().is_empty());
    assert_eq!(select(Some(7)), Ok(()));
    assert_eq!(*host.polls.borrow(), [[Asked::Clock(7)]]);
}

#[test]
fn one_poll_has_what_is_waited_for_and_one_clock() {
    let host = Script::new(&|_, userdata| Ok(vec![(userdata[1], wasi::ERRNO_SUCCESS)]));
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4], Ready::BOTH);
    waiting(&table, &[5], Ready::READABLE);
    table.insert(6).expect("room for one that nobody waits for");
    assert_eq!(poller.select(&host, &table, &pace, Some(9)), Ok(()));
    let expected = [Asked::Read(4), Asked::Write(4), Asked::Read(5), Asked::Clock(9)];
    assert_eq!(*host.polls.borrow(), [expected]);
    assert_eq!(ready(&table, 0), Ready::WRITABLE);
    assert_eq!(ready(&table, 1), Ready::NONE);
}

#[test]
fn a_descriptor_that_fails_the_whole_poll_is_found_and_the_others_go_on() {
    let host = Script::new(&|asked, userdata| match asked {
        _ if asked.contains(&Asked::Read(5)) => Err(wasi::ERRNO_BADF),
        [Asked::Read(6), ..] => Ok(vec![(userdata[0], wasi::ERRNO_SUCCESS)]),
        _ => Ok(vec![(u64::MAX, wasi::ERRNO_SUCCESS)]),
    });
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4, 5, 6], Ready::READABLE);
    assert_eq!(poller.select(&host, &table, &pace, Some(9)), Ok(()));
    assert_eq!(host.polls.borrow()[1..].len(), 3);
    assert!(host.polls.borrow()[1..].iter().all(|poll| poll[1..] == [Asked::Clock(0)]));
    assert_eq!(ready(&table, 0), Ready::NONE);
    assert!(table.get(1).is_some_and(|slot| slot.take_read_error() == Some(wasi::ERRNO_BADF)));
    assert_eq!(ready(&table, 1), Ready::READABLE, "who waits for it is told");
    assert_eq!(ready(&table, 2), Ready::READABLE);
}

#[test]
fn a_failure_that_nobody_is_guilty_of_is_the_selectors() {
    let host = Script::new(&|asked, _| match asked {
        [_, Asked::Clock(9)] => Err(wasi::ERRNO_NOMEM),
        _ => Ok(vec![]),
    });
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4], Ready::READABLE);
    let failed = poller.select(&host, &table, &pace, Some(9));
    assert_eq!(failed, Err(SelectError::Os(i32::from(wasi::ERRNO_NOMEM.raw()))));
}

#[test]
fn an_event_with_an_error_is_its_descriptors_alone() {
    let host = Script::new(&|_, userdata| {
        Ok(vec![(userdata[1], wasi::ERRNO_IO), (userdata[0], wasi::ERRNO_SUCCESS)])
    });
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4, 5], Ready::READABLE);
    assert_eq!(poller.select(&host, &table, &pace, None), Ok(()));
    assert!(table.get(0).is_some_and(|slot| slot.take_read_error().is_none()));
    assert!(table.get(1).is_some_and(|slot| slot.take_read_error() == Some(wasi::ERRNO_IO)));
}

#[test]
fn events_that_nobody_asked_for_do_nothing() {
    let invented = [0, 1, 2 * CAPACITY as u64 + 2, u64::MAX - 1, u64::MAX];
    let answer = |_: &[Asked], _: &[u64]| Ok(invented.map(|it| (it, wasi::ERRNO_SUCCESS)).to_vec());
    let host = Script::new(&answer);
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4], Ready::READABLE);
    assert_eq!(poller.select(&host, &table, &pace, Some(9)), Ok(()));
    assert_eq!(ready(&table, 0), Ready::NONE);
}

#[test]
fn the_list_begins_elsewhere_each_time() {
    let host = Script::new(&|_, _| Ok(vec![]));
    let (poller, table, pace) = (Poller::new(), Table::new(), Pace::new());
    waiting(&table, &[4, 5, 6], Ready::READABLE);
    for _ in 0..3 {
        assert_eq!(poller.select(&host, &table, &pace, None), Ok(()));
    }
    let firsts = host.polls.borrow().iter().map(|poll| poll[0]).collect::<Vec<_>>();
    assert_eq!(firsts, [Asked::Read(4), Asked::Read(5), Asked::Read(6)]);
}

#[test]
fn a_full_table_gives_the_descriptor_back() {
    let table = Table::new();
    let slots = (0..CAPACITY as u32).map(|fd| table.insert(fd).expect("room")).collect::<Vec<_>>();
    assert!(!table.has_room());
    assert!(table.insert(99).is_err_and(|full| full.0 == 99));
    table.remove(slots[7]);
    assert!(table.has_room() && !table.contains(7));
    assert!(table.insert(99).is_ok_and(|slot| slot.fd() == 99));
}

#[test]
fn a_wait_that_was_cut_short_is_followed_by_one_of_a_millisecond() {
    let (pace, at) = (Pace::new(), Instant::from_nanos);
    let timeout = |when, now| pace.timeout(Wait::Until(at(when)), || at(now));
    assert_eq!(timeout(100_000, 0), Some(100_000));
    assert_eq!(timeout(100_000, 10), Some(1_000_000), "the host was early");
    assert_eq!(timeout(300_000, 100_000), Some(200_000), "another deadline");
    pace.news();
    assert_eq!(timeout(300_000, 200_000), Some(100_000), "something else ended it");
    assert_eq!(timeout(300_000, 300_001), Some(0));
}

#[test]
fn the_far_future_is_for_ever_and_a_wait_is_a_day_at_most() {
    let pace = Pace::new();
    let timeout = |wait| pace.timeout(wait, || Instant::ZERO);
    assert_eq!(timeout(Wait::Until(Instant::FAR_FUTURE)), None);
    assert_eq!(timeout(Wait::Forever), None);
    assert_eq!(timeout(Wait::No), Some(0));
    let year = Instant::from_nanos(365 * 86_400 * 1_000_000_000);
    assert_eq!(timeout(Wait::Until(year)), Some(86_400 * 1_000_000_000));
}
