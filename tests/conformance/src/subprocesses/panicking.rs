//! Protocols of programs whose calls panic.

use super::child::program;
use super::fixture::until_reaped;
use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use core::cell::RefCell;
use molen::net::{Answer, ConnectionError};
use molen::subprocess::{StandardStream, SubprocessProtocol, SubprocessTransport, subprocess_exec};
use molen::{Duration, Event, timeout};
use std::boxed::Box;
use std::rc::Rc;
use std::vec::Vec;

/// How a child ends that was killed.
const KILLED: i32 = if cfg!(windows) { 1 } else { -9 };

/// What was told and reported. A pipe's loss is any pipe's.
#[derive(Default)]
struct Heard {
    calls: RefCell<Vec<&'static str>>,
    over: Event,
}

impl Heard {
    fn add(&self, call: &'static str) {
        self.calls.borrow_mut().push(call);
    }

    fn count(&self, call: &str) -> usize {
        self.calls.borrow().iter().filter(|heard| **heard == call).count()
    }
}

/// Panics in the call of this name.
struct Panicking {
    call: &'static str,
    heard: Rc<Heard>,
}

impl Panicking {
    fn called(&self, call: &'static str) -> Answer {
        self.heard.add(call);
        if call == self.call {
            // Prints nothing.
            std::panic::resume_unwind(Box::new("the protocol's own panic"));
        }
        Ok(())
    }
}

impl SubprocessProtocol for Panicking {
    fn connection_made(&mut self, _transport: &SubprocessTransport) -> Answer {
        self.called("made")
    }

    fn pipe_data_received(
        &mut self,
        _transport: &SubprocessTransport,
        _fd: StandardStream,
        _data: &[u8],
    ) -> Answer {
        self.called("data")
    }

    fn pipe_connection_lost(
        &mut self,
        _transport: &SubprocessTransport,
        _fd: StandardStream,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.called("pipe lost")
    }

    fn process_exited(&mut self, _transport: &SubprocessTransport) -> Answer {
        self.called("exited")
    }

    fn connection_lost(
        &mut self,
        _transport: &SubprocessTransport,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.called("lost")?;
        self.heard.over.set();
        Ok(())
    }
}

/// The calls and reports of a protocol that panics in `call`, with the program
/// `words`, and how that ended.
async fn panics_in(
    call: &'static str,
    words: &[&str],
) -> Result<(Rc<Heard>, Option<i32>), Failure> {
    let heard = Rc::new(Heard::default());
    let event_loop = molen::get_running_loop()?;
    let reports = heard.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |_loop, context| {
        let error = context.exception.map(|error| std::format!("{error}"));
        reports.add(match error.as_deref() {
            Some("the protocol's own panic") => "reported",
            _ => "reported something else",
        });
        Ok(())
    })));
    let protocol = Panicking { call, heard: heard.clone() };
    let transport = ok(subprocess_exec(program(words)?.pipes(), protocol).await)?;
    // Gone already where connection_made panicked.
    if let Some(stdin) = transport.get_pipe_transport(StandardStream::Stdin) {
        let _closing = stdin.write(b"a line\n");
    }
    let over = timeout(Duration::from_secs(20), heard.over.wait()).await;
    check!(over.is_ok(), "connection_lost was not called");
    check!(transport.is_closing() && transport.is_lost(), "it goes on");
    until_reaped(transport.get_pid()).await?;
    Ok((heard, transport.get_returncode()))
}

pub(super) fn a_call_of_a_protocol_that_panics_closes_its_program() -> Outcome {
    run(async {
        // The first two run until somebody kills them.
        let programs: [(&str, &[&str], i32); 3] = [
            ("made", &["sleep"], KILLED),
            ("data", &["lines"], KILLED),
            ("exited", &["orphan"], 0),
        ];
        for (call, words, returncode) in programs {
            let (heard, ended) = panics_in(call, words).await?;
            check_eq!(ended, Some(returncode));
            for once in [call, "reported", "made", "exited", "lost"] {
                check_eq!(heard.count(once), 1);
            }
            check_eq!(heard.count("pipe lost"), 3);
            check_eq!(heard.count("reported something else"), 0);
            let calls = heard.calls.borrow();
            check_eq!(calls.first().copied(), Some("made"));
            check_eq!(calls.last().copied(), Some("lost"));
            let at = calls.iter().position(|heard| *heard == call).unwrap_or(0);
            check_eq!(calls.get(at + 1).copied(), Some("reported"));
        }
        Ok(())
    })
}
