//! `poll_oneoff`, honest and otherwise.
//!
//! ```text
//!  decode ──▶ whole-call errors ──▶ ┌ look: errors, ready fds, expired clocks ┐──some──▶ choose, bend, order, cut, write
//!    │              │               └───────────────▲─────────────────────────┘
//!  EFAULT/EINVAL  the errno                         └──none── time passes to the next deadline or script step
//!                                                              └─ there is none: the run is over, "hung"
//! ```

use std::time::Duration;

use crate::abi::{
    CLOCK_MONOTONIC, CLOCK_REALTIME, EVENT_SIZE, Event, Hangup, Interest, SUBSCRIPTION_SIZE,
    Subscription, Timeout,
};
use crate::call::Call;
use crate::clock::nanos;
use crate::descriptor::{Descriptor, Inbound};
use crate::errno::Errno;
use crate::guest_memory::GuestMemory;
use crate::lie::{Lie, Told};
use crate::machine::{Fail, Machine, Stop};

/// The highest clock id of the ABI (thread CPU time).
const LAST_CLOCK: u32 = 3;

/// What a descriptor says to a subscription.
enum Look {
    Ready { nbytes: u64, hangup: Hangup },
    NotYet,
    Wrong(Errno),
}

/// What a subscription waits for, after the lies about time have been told.
#[derive(Clone, Copy)]
enum Watch {
    /// Ready when the monotonic clock reaches this.
    Monotonic(u64),
    /// Ready when the realtime clock reaches this.
    Realtime(u64),
    /// Never ready.
    Never,
    Descriptor,
}

/// A subscription with its state during one call.
struct Waiter {
    subscription: Subscription,
    watch: Watch,
    /// The error that this subscription alone gets.
    error: Option<Errno>,
}

impl Machine {
    pub(crate) fn poll_oneoff(
        &mut self,
        memory: &mut GuestMemory<'_>,
        input: u32,
        output: u32,
        n: u32,
        count_at: u32,
        call: &mut Call,
    ) -> Result<(), Fail> {
        self.polls += 1;
        let told = self.told();
        if n == 0 {
            return Err(Errno::Inval.into());
        }
        // Both lists are checked before anything happens, so that a bad pointer loses no event.
        let records = memory.region(input, n, SUBSCRIPTION_SIZE, 8)?;
        memory.region(output, n, EVENT_SIZE, 8)?;
        memory.region(count_at, 1, 4, 4)?;
        let list: Vec<Subscription> = memory
            .bytes(records)
            .chunks_exact(SUBSCRIPTION_SIZE as usize)
            .map(Subscription::decode)
            .collect::<Result<_, _>>()?;
        if let Call::PollOneoff { subscriptions, .. } = call {
            subscriptions.clone_from(&list);
        }

        let events = self.poll(&list, &told)?;
        let size = if told.tells(Lie::ShortEventRecords) { 16 } else { EVENT_SIZE };
        // `events` is never longer than the list, whose length is a u32.
        let count = events.len() as u32;
        let records = memory.region(output, count, size, 8)?;
        for (record, event) in
            memory.bytes_mut(records).chunks_exact_mut(size as usize).zip(&events)
        {
            record.copy_from_slice(&event.encode()[..size as usize]);
        }
        memory.write_u32(count_at, count)?;
        if let Call::PollOneoff { events: logged, .. } = call {
            *logged = events;
        }
        Ok(())
    }

    fn poll(&mut self, list: &[Subscription], told: &Told) -> Result<Vec<Event>, Fail> {
        let interrupted = told.find(|lie| match lie {
            Lie::Interrupted { every } => Some(self.polls.is_multiple_of(u64::from(every.get()))),
            _ => None,
        });
        if interrupted == Some(true) {
            return Err(Errno::Intr.into());
        }
        let waiters = self.watch(list, told)?;
        let ready = self.wait(&waiters, told)?;
        Ok(bend(&waiters, ready, told, self.polls, self.clock.monotonic()))
    }

    /// Finds the whole-call errors and fixes the deadlines.
    fn watch(&mut self, list: &[Subscription], told: &Told) -> Result<Vec<Waiter>, Fail> {
        let alone = list.len() == 1;
        let mut waiters = Vec::with_capacity(list.len());
        for subscription in list {
            let mut error = None;
            let watch = match subscription.interest {
                Interest::Clock { id, timeout, .. } => {
                    self.watch_clock(id, timeout, alone, told)?
                }
                Interest::Read { fd } | Interest::Write { fd } => {
                    if let Some(errno) = told.find(|lie| match lie {
                        Lie::PollDenied { fd: denied, errno } if *denied == fd => Some(*errno),
                        _ => None,
                    }) {
                        return Err(errno.into());
                    }
                    let mut watch = Watch::Descriptor;
                    if let Look::Wrong(errno) = self.look(subscription.interest, told)? {
                        if let Some(errno) = told.find(|lie| match lie {
                            Lie::BadDescriptorFailsCall { errno } => Some(*errno),
                            _ => None,
                        }) {
                            return Err(errno.into());
                        }
                        if told.tells(Lie::BadDescriptorWakesClocks) {
                            watch = Watch::Never;
                        } else {
                            error = Some(errno);
                        }
                    }
                    error = error.or(told.find(|lie| match lie {
                        Lie::EventError { fd: bad, errno } if *bad == fd => Some(*errno),
                        _ => None,
                    }));
                    watch
                }
            };
            waiters.push(Waiter { subscription: *subscription, watch, error });
        }
        let ignored =
            |w: &Waiter| matches!(w.watch, Watch::Never) && w.subscription.interest.fd().is_some();
        if told.tells(Lie::BadDescriptorWakesClocks) && waiters.iter().any(ignored) {
            for waiter in &mut waiters {
                if waiter.subscription.interest.fd().is_none() {
                    waiter.watch = Watch::Monotonic(0);
                }
            }
        }
        Ok(waiters)
    }

    fn watch_clock(
        &self,
        id: u32,
        timeout: Timeout,
        alone: bool,
        told: &Told,
    ) -> Result<Watch, Errno> {
        let cpu_time_counts = told.tells(Lie::CpuClockIsTimer) && id <= LAST_CLOCK;
        if id > CLOCK_MONOTONIC && !cpu_time_counts {
            return Err(Errno::Inval);
        }
        let now = self.clock.monotonic();
        let exact = match timeout {
            Timeout::Relative(0) if told.tells(Lie::ZeroTimeoutHangs) => return Ok(Watch::Never),
            Timeout::Relative(span) => {
                let span = told
                    .find(|lie| match lie {
                        Lie::TimerTruncated { grid } => {
                            Some(span - span.checked_rem(nanos(*grid)).unwrap_or(0))
                        }
                        _ => None,
                    })
                    .unwrap_or(span);
                now.saturating_add(span)
            }
            Timeout::Absolute(_) if told.tells(Lie::AbsoluteUnsupported) => {
                return Err(Errno::Notsup);
            }
            Timeout::Absolute(at) if id == CLOCK_REALTIME => {
                if told.tells(Lie::AbsoluteRealtimeUnsupported) {
                    return Err(Errno::Notsup);
                }
                return Ok(Watch::Realtime(at));
            }
            Timeout::Absolute(_) if told.tells(Lie::AbsoluteMonotonicHangs) => {
                return Ok(Watch::Never);
            }
            Timeout::Absolute(at) => at,
        };
        let precise = alone && matches!(timeout, Timeout::Relative(_));
        let grid: Option<Duration> = told.find(|lie| match lie {
            Lie::TimerRoundedUp { grid } => Some(*grid),
            Lie::TimerRoundedUpUnlessAlone { grid } if !precise => Some(*grid),
            _ => None,
        });
        // What is due already is not rounded: the host looks before it arms its timer.
        Ok(Watch::Monotonic(match grid.map(nanos) {
            Some(grid) if grid > 0 && exact > now => {
                exact.checked_next_multiple_of(grid).unwrap_or(u64::MAX)
            }
            _ => exact,
        }))
    }

    /// Lets time pass until at least one waiter is ready, and gives for each its event, if it has one.
    fn wait(&mut self, waiters: &[Waiter], told: &Told) -> Result<Vec<Option<Event>>, Fail> {
        loop {
            let ready = self.ready(waiters, told)?;
            if ready.iter().any(Option::is_some) {
                return Ok(ready);
            }
            let now = self.clock.monotonic();
            let mut next = None;
            for waiter in waiters {
                let change = match waiter.watch {
                    Watch::Monotonic(at) => Some(at),
                    Watch::Realtime(at) => {
                        Some(now.saturating_add(at.saturating_sub(self.clock.realtime())))
                    }
                    Watch::Never => None,
                    Watch::Descriptor => waiter
                        .subscription
                        .interest
                        .fd()
                        .and_then(|fd| self.table.get(fd).ok()?.next_change()),
                };
                next = next.into_iter().chain(change).min();
            }
            let Some(at) = next else {
                let reason = "poll_oneoff waits for ever: no subscription has a deadline or anything scripted for it";
                return Err(Stop::Hung(reason.to_owned()).into());
            };
            // A step of the clock on the way may bring a realtime deadline nearer.
            let at = self.clock.next_step().map_or(at, |step| step.min(at)).max(now);
            if at == u64::MAX && now == u64::MAX {
                return Err(
                    Stop::Hung("poll_oneoff waits beyond the end of the clock".to_owned()).into()
                );
            }
            self.clock.advance_to(at);
        }
    }

    fn ready(&mut self, waiters: &[Waiter], told: &Told) -> Result<Vec<Option<Event>>, Fail> {
        let now = self.clock.monotonic();
        let realtime = self.clock.realtime();
        let mut ready = Vec::with_capacity(waiters.len());
        for waiter in waiters {
            let due = match waiter.watch {
                _ if waiter.error.is_some() => Some((waiter.error, 0, Hangup::No)),
                Watch::Monotonic(at) => (now >= at).then_some((None, 0, Hangup::No)),
                Watch::Realtime(at) => (realtime >= at).then_some((None, 0, Hangup::No)),
                Watch::Never => None,
                Watch::Descriptor => match self.look(waiter.subscription.interest, told)? {
                    Look::Ready { nbytes, hangup } => Some((None, nbytes, hangup)),
                    Look::Wrong(_) | Look::NotYet => None,
                },
            };
            ready.push(due.map(|(error, nbytes, hangup)| Event {
                userdata: waiter.subscription.userdata,
                errno: error.unwrap_or(Errno::Success),
                kind: waiter.subscription.interest.kind(),
                nbytes: if told.tells(Lie::NbytesZero) { 0 } else { nbytes },
                hangup,
            }));
        }
        Ok(ready)
    }

    fn look(&mut self, interest: Interest, told: &Told) -> Result<Look, Fail> {
        let now = self.clock.monotonic();
        let (fd, reading) = match interest {
            Interest::Read { fd } => (fd, true),
            Interest::Write { fd } => (fd, false),
            Interest::Clock { .. } => return Ok(Look::NotYet),
        };
        let Ok(descriptor) = self.table.settled(fd, now) else {
            return Ok(Look::Wrong(Errno::Badf));
        };
        let wrong_direction = if told.tells(Lie::WrongDirectionWaits) {
            Look::NotYet
        } else {
            Look::Wrong(Errno::Badf)
        };
        Ok(match (descriptor, reading) {
            (Descriptor::Stdin(inbound), true) => {
                if inbound.ended() && inbound.unread() == 0 && told.tells(Lie::StdinEofPollTraps) {
                    let reason =
                        "poll_oneoff on stdin at its end: the host traps (Lie::StdinEofPollTraps)";
                    return Err(Stop::Trap(reason.to_owned()).into());
                }
                look_in(inbound, told)
            }
            (Descriptor::Standard { outbound, .. }, false) => {
                look_out(outbound.is_writable(), outbound.room())
            }
            (Descriptor::File { contents, position, .. }, true) => Look::Ready {
                nbytes: contents.len().saturating_sub(*position) as u64,
                hangup: Hangup::No,
            },
            (Descriptor::File { .. }, false) => Look::Ready { nbytes: 1, hangup: Hangup::No },
            (Descriptor::Listener(queue), true) if queue.waiting.is_empty() => Look::NotYet,
            (Descriptor::Listener(_), true) => Look::Ready { nbytes: 1, hangup: Hangup::No },
            (Descriptor::Stream(connection), true) => look_in(&connection.inbound, told),
            (Descriptor::Stream(connection), false) => {
                look_out(connection.outbound.is_writable(), connection.outbound.room())
            }
            (Descriptor::Directory { .. }, _) => Look::Wrong(Errno::Badf),
            (Descriptor::Stdin(_) | Descriptor::Listener(_), false)
            | (Descriptor::Standard { .. }, true) => wrong_direction,
        })
    }
}

/// A read event says at least one byte, also at the end of input, as every measured host does.
fn look_in(inbound: &Inbound, told: &Told) -> Look {
    if !inbound.is_readable() {
        return Look::NotYet;
    }
    let at_end = inbound.ended() && inbound.unread() == 0;
    let early = inbound.ended() && told.tells(Lie::HangupBeforeEof);
    match (at_end && told.tells(Lie::HangupAtEof), early) {
        (true, _) => Look::Ready { nbytes: 0, hangup: Hangup::Yes },
        (false, true) => {
            Look::Ready { nbytes: inbound.unread().max(1) as u64, hangup: Hangup::Yes }
        }
        (false, false) => {
            Look::Ready { nbytes: inbound.unread().max(1) as u64, hangup: Hangup::No }
        }
    }
}

fn look_out(writable: bool, room: usize) -> Look {
    // 64 KiB is what wasmtime says of a socket with room.
    const USUAL: usize = 65_536;
    if writable {
        Look::Ready { nbytes: room.clamp(1, USUAL) as u64, hangup: Hangup::No }
    } else {
        Look::NotYet
    }
}

/// Tells the lies about which events there are, their order and their number.
fn bend(
    waiters: &[Waiter],
    mut ready: Vec<Option<Event>>,
    told: &Told,
    polls: u64,
    now: u64,
) -> Vec<Event> {
    let made = |waiter: &Waiter, nbytes: u64| Event {
        userdata: waiter.subscription.userdata,
        errno: Errno::Success,
        kind: waiter.subscription.interest.kind(),
        nbytes,
        hangup: Hangup::No,
    };
    let is_clock = |waiter: &Waiter| waiter.subscription.interest.fd().is_none();
    let any_fd =
        waiters.iter().zip(&ready).any(|(waiter, event)| !is_clock(waiter) && event.is_some());

    if told.tells(Lie::OneClockEvent) {
        let deadline = |watch| match watch {
            Watch::Monotonic(at) => at,
            _ => now,
        };
        let expired = (0..ready.len()).filter(|i| ready[*i].is_some() && is_clock(&waiters[*i]));
        let first = expired.min_by_key(|i| deadline(waiters[*i].watch));
        for (i, event) in ready.iter_mut().enumerate() {
            if is_clock(&waiters[i]) && Some(i) != first {
                *event = None;
            }
        }
    }
    for (waiter, event) in waiters.iter().zip(&mut ready) {
        match (is_clock(waiter), event.is_some()) {
            (true, true) if any_fd && told.tells(Lie::ExpiredClocksWithheld) => *event = None,
            (true, false) if told.tells(Lie::UnexpiredClocksReported) => {
                *event = Some(made(waiter, 0))
            }
            (false, false) if any_fd && told.tells(Lie::SpuriousReadiness) => {
                *event = Some(made(waiter, 1))
            }
            _ => {}
        }
    }

    let mut events: Vec<(usize, Event)> =
        ready.into_iter().enumerate().filter_map(|(i, event)| Some((i, event?))).collect();
    if told.tells(Lie::ReversedEvents) {
        events.reverse();
    }
    // Stable sorts: within each kind the order stays.
    if told.tells(Lie::DescriptorsFirst) {
        events.sort_by_key(|(i, _)| is_clock(&waiters[*i]));
    }
    if told.tells(Lie::ClocksFirst) {
        events.sort_by_key(|(i, _)| !is_clock(&waiters[*i]));
    }
    if let Some(max) = told.find(|lie| match lie {
        Lie::PartialEvents { max } => Some(max.get()),
        _ => None,
    }) {
        events.truncate(max as usize);
    }
    let silent = told.find(|lie| match lie {
        Lie::NothingReported { every } => Some(polls.is_multiple_of(u64::from(every.get()))),
        _ => None,
    });
    if silent == Some(true) {
        events.clear();
    }
    events.into_iter().map(|(_, event)| event).collect()
}
