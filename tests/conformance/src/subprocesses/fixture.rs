//! What cases with children work with.

use super::child::program;
use crate::case::{Failure, Outcome};
use crate::real::ok;
use core::cell::{Cell, RefCell};
use molen::net::{Answer, ConnectionError};
use molen::pipe::ReadPipe;
use molen::subprocess::{
    Command, Process, Redirect, StandardStream, SubprocessProtocol, SubprocessTransport,
    create_subprocess_exec,
};
use molen::{Duration, Event, timeout};
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

/// Windows' pipes pass on what was written when it is read, Unix' at once.
pub(super) const A_WHILE: Duration = Duration::from_millis(if cfg!(windows) { 50 } else { 5 });

/// The program `words` of `child`, started with pipes.
pub(super) async fn start(words: &[&str]) -> Result<Process, Failure> {
    ok(create_subprocess_exec(program(words)?.pipes()).await)
}

pub(super) async fn all_of(pipe: Option<ReadPipe>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        ok(pipe.read_to_end(&mut bytes).await)?;
    }
    Ok(bytes)
}

/// What is at its end when the program it was given to is gone.
pub(super) struct Lifeline(pub(super) ReadPipe);

impl Lifeline {
    /// For the next program that `command` starts; then the command must go.
    pub(super) fn of(command: &mut Command) -> Result<Lifeline, Failure> {
        let (reader, writer) = ok(std::io::pipe())?;
        command.stdout(Redirect::Descriptor(writer.into()));
        Ok(Lifeline(ok(ReadPipe::new(reader))?))
    }

    pub(super) async fn is_cut(&self) -> Outcome {
        let mut bytes = Vec::new();
        let read = timeout(Duration::from_secs(20), self.0.read_to_end(&mut bytes)).await;
        ok(ok(read)?)?;
        Ok(())
    }

    pub(super) async fn holds(&self) -> Outcome {
        let read = timeout(A_WHILE, self.0.read(&mut [0; 8])).await;
        check!(read.is_err(), "the child has ended");
        Ok(())
    }
}

/// Waits until not even a zombie is left of a child.
#[cfg(unix)]
pub(super) async fn until_reaped(pid: u32) -> Outcome {
    let ask = std::format!("kill -0 {pid} 2> /dev/null");
    while ok(ok(molen::subprocess::create_subprocess_shell(&ask).await)?.wait().await)?.success() {
        molen::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// There are no zombies.
#[cfg(windows)]
pub(super) async fn until_reaped(_pid: u32) -> Outcome {
    Ok(())
}

/// What a child's protocol was told, which comes in more than one order.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) calls: RefCell<Vec<String>>,
    over: Event,
    /// Whether the output is to be paused before any of it is read.
    pub(super) pauses: Cell<bool>,
}

impl Heard {
    pub(super) fn add(&self, call: &str) {
        self.calls.borrow_mut().push(call.into());
    }

    /// Where this was told, and that it was told once.
    pub(super) fn position(&self, call: &str) -> Result<usize, Failure> {
        let calls = self.calls.borrow();
        let mut places = calls.iter().enumerate().filter(|(_, heard)| *heard == call);
        match (places.next(), places.next()) {
            (Some((at, _)), None) => Ok(at),
            _ => Err(Failure::shown(&format_args!("not {call} once: {calls:?}"))),
        }
    }

    /// Whether these were told in this order, with others between them.
    pub(super) fn check_order(&self, calls: &[&str]) -> Outcome {
        let places = calls.iter().map(|call| self.position(call)).collect::<Result<Vec<_>, _>>()?;
        if places.is_sorted() {
            return Ok(());
        }
        Err(Failure::shown(&format_args!("{:?}", self.calls.borrow())))
    }

    pub(super) async fn until_over(&self) -> Outcome {
        let over = timeout(Duration::from_secs(20), self.over.wait()).await;
        check!(over.is_ok(), "connection_lost was not called");
        let calls = self.calls.borrow();
        check_eq!(calls.first().map(String::as_str), Some("made"));
        check_eq!(calls.last().map(String::as_str), Some("lost"));
        Ok(())
    }
}

/// Tells what it hears.
#[derive(Clone, Default)]
pub(super) struct Telling(pub(super) Rc<Heard>);

fn named(what: &str, fd: StandardStream) -> String {
    std::format!("{what} {fd}")
}

impl SubprocessProtocol for Telling {
    fn connection_made(&mut self, transport: &SubprocessTransport) -> Answer {
        self.0.add("made");
        if self.0.pauses.get()
            && let Some(stdout) = transport.get_pipe_transport(StandardStream::Stdout)
        {
            stdout.pause_reading();
        }
        Ok(())
    }

    fn pipe_data_received(
        &mut self,
        _transport: &SubprocessTransport,
        fd: StandardStream,
        _data: &[u8],
    ) -> Answer {
        // In pieces of any size.
        let name = named("data of", fd);
        if !self.0.calls.borrow().contains(&name) {
            self.0.add(&name);
        }
        Ok(())
    }

    fn pipe_connection_lost(
        &mut self,
        _transport: &SubprocessTransport,
        fd: StandardStream,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.add(&named("lost", fd));
        Ok(())
    }

    fn process_exited(&mut self, transport: &SubprocessTransport) -> Answer {
        self.0.add(if transport.get_returncode().is_some() { "exited" } else { "exited?" });
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &SubprocessTransport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.add(if error.is_none() { "lost" } else { "lost by an error" });
        self.0.over.set();
        Ok(())
    }
}
