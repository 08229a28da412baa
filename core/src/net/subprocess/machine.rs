//! Which call is due, without I/O.
//!
//! ```text
//!            connection_made                 process_exited, all pipes lost
//!  STARTED ──────────────────▶ MADE ─────────────────────────────────────▶ connection_lost
//!                               │ end noticed ──▶ process_exited
//!                               └ pipe lost (told by the pipe itself)
//! ```
//!
//! Each call is made in a turn of its own: so connection_lost always comes in a
//! later batch than what it waited for, and one call that panics takes no
//! other with it.

use super::protocol::StandardStream;

/// What happened to something of which is told once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    /// It has not happened.
    None,
    /// It has, and is to be told.
    Due,
    Told,
}

/// A call that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    ConnectionMade,
    ProcessExited,
    ConnectionLost,
}

/// What is known of a program and its pipes.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    made: News,
    exited: News,
    lost: News,
    /// Which pipes there are still, by their descriptors.
    open: [bool; 3],
    /// A turn is in the ready queue, or under way.
    queued: bool,
}

impl Machine {
    /// A program that was just started, with these pipes.
    pub(super) fn new(open: [bool; 3]) -> Machine {
        Machine { made: News::Due, exited: News::None, lost: News::None, open, queued: false }
    }

    /// Takes out the call that is due.
    pub(super) fn next(&mut self) -> Option<Call> {
        let (news, call) = self.due()?;
        match news {
            Which::Made => self.made = News::Told,
            Which::Exited => self.exited = News::Told,
            Which::Lost => self.lost = News::Told,
        }
        Some(call)
    }

    fn due(&self) -> Option<(Which, Call)> {
        if self.made == News::Due {
            return Some((Which::Made, Call::ConnectionMade));
        }
        if self.exited == News::Due {
            return Some((Which::Exited, Call::ProcessExited));
        }
        let over = self.exited == News::Told && self.open == [false; 3];
        (over && self.lost != News::Told).then_some((Which::Lost, Call::ConnectionLost))
    }

    /// Whether a turn must be put in the ready queue: a call is due, and none
    /// is there yet. The caller puts it there.
    pub(super) fn must_queue(&mut self) -> bool {
        let must = !self.queued && self.due().is_some();
        self.queued |= must;
        must
    }

    /// A turn has left the ready queue.
    pub(super) fn dequeued(&mut self) {
        self.queued = false;
    }

    /// The program's end was noticed.
    pub(super) fn exit_noticed(&mut self) {
        if self.exited == News::None {
            self.exited = News::Due;
        }
    }

    /// The loss of a pipe was told, or will never be.
    pub(super) fn pipe_lost(&mut self, fd: StandardStream) {
        self.open[fd.fd()] = false;
    }

    /// Whether connection_lost was called.
    pub(super) fn is_lost(&self) -> bool {
        self.lost == News::Told
    }
}

/// Of what a call tells.
#[derive(Clone, Copy)]
enum Which {
    Made,
    Exited,
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;
    use StandardStream::{Stderr, Stdin, Stdout};

    /// Lets `next` answer until it has nothing.
    fn drain(machine: &mut Machine) -> alloc::vec::Vec<Call> {
        core::iter::from_fn(|| machine.next()).collect()
    }

    #[test]
    fn whatever_comes_first_the_calls_are_made_once_and_lost_is_last() {
        // Every order of four events, each of which may come before the first turn.
        for order in 0..256_usize {
            let events: [usize; 4] = core::array::from_fn(|at| order >> (2 * at) & 3);
            let mut machine = Machine::new([true; 3]);
            let mut calls = alloc::vec::Vec::new();
            for (at, event) in events.into_iter().enumerate() {
                match event {
                    0 => machine.exit_noticed(),
                    1 => machine.pipe_lost(Stdin),
                    2 => machine.pipe_lost(Stdout),
                    _ => machine.pipe_lost(Stderr),
                }
                if order % 5 != at {
                    calls.extend(drain(&mut machine));
                }
            }
            calls.extend(drain(&mut machine));
            let all = (0..4).all(|event| events.contains(&event));
            let mut expected = alloc::vec![Call::ConnectionMade];
            if events.contains(&0) {
                expected.push(Call::ProcessExited);
            }
            if all {
                expected.push(Call::ConnectionLost);
            }
            assert_eq!(calls, expected, "{events:?}");
            assert_eq!(machine.is_lost(), all);
        }
    }

    #[test]
    fn a_turn_is_queued_once_while_something_is_due() {
        let mut machine = Machine::new([false; 3]);
        assert!(machine.must_queue());
        assert!(!machine.must_queue());
        machine.dequeued();
        assert_eq!(machine.next(), Some(Call::ConnectionMade));
        assert!(!machine.must_queue());
        machine.exit_noticed();
        assert!(machine.must_queue());
    }
}
