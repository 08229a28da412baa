//! What one calls: the handle of a program that was started.

use super::child::{Child, ExitWatcher, SendSignalError, SignalRefusal};
use super::machine::{Call, Machine};
use super::pipe::PipeProtocol;
use super::protocol::{StandardStream, SubprocessProtocol};
use crate::error::Closed;
use crate::io::source::{ByteSource, SourceError};
use crate::net::error::ProtocolError;
use crate::net::protocol::Answer;
use crate::net::transport::{Transport, WeakTransport};
use crate::schedule::{EventLoop, ExceptionContext, LoopMemory};
use crate::task::yield_now;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;

/// The ends of a program's pipes that are ours.
#[derive(Debug)]
pub struct ChildPipes<W, R> {
    /// What it reads, if that is a pipe.
    pub stdin: Option<W>,
    /// What it writes, if that is a pipe.
    pub stdout: Option<R>,
    /// What it writes about its errors, if that is a pipe of its own.
    pub stderr: Option<R>,
}

/// A program, its pipes and its protocol.
///
/// Kept by its pipes' connections, by the backend that watches for its end, and
/// by its turn in the ready queue: so it goes with the loop at the latest.
pub(super) struct Subprocess {
    child: Box<dyn Child>,
    machine: Cell<Machine>,
    /// Not held on to: pipes hold the program.
    pipes: RefCell<[Option<WeakTransport>; 3]>,
    protocol: RefCell<Option<Box<dyn SubprocessProtocol>>>,
    closing: Cell<bool>,
    owner: LoopMemory,
}

impl Subprocess {
    fn with<R>(&self, f: impl FnOnce(&mut Machine) -> R) -> R {
        let mut machine = self.machine.get();
        let result = f(&mut machine);
        self.machine.set(machine);
        result
    }

    pub(super) fn exit_noticed(self: &Rc<Self>) {
        self.with(Machine::exit_noticed);
        self.make_ready();
    }

    pub(super) fn pipe_lost(self: &Rc<Self>, fd: StandardStream) {
        self.with(|machine| machine.pipe_lost(fd));
        self.make_ready();
    }

    /// Puts a turn in the ready queue if a call is due.
    fn make_ready(self: &Rc<Self>) {
        if self.with(Machine::must_queue) {
            let this = self.clone();
            // A loop that is closed calls nobody any more.
            let _ = self.owner.event_loop().call_soon(move || this.turn());
        }
    }

    fn turn(self: &Rc<Self>) {
        self.with(Machine::dequeued);
        let Some(call) = self.with(Machine::next) else { return };
        // Before the call, which may panic.
        self.make_ready();
        match call {
            Call::ConnectionMade => {
                if let Err(error) = self.call(|protocol, child| protocol.connection_made(child)) {
                    self.report("a subprocess protocol's connection_made failed", &error);
                    SubprocessTransport::of(self).close();
                }
            }
            Call::ProcessExited => {
                let told = self.call(|protocol, child| protocol.process_exited(child));
                self.report_failure("a subprocess protocol's process_exited failed", told);
            }
            Call::ConnectionLost => {
                let told = self.call(|protocol, child| protocol.connection_lost(child, None));
                let protocol = self.protocol.take();
                drop(protocol);
                self.report_failure("a subprocess protocol's connection_lost failed", told);
            }
        }
    }

    /// Calls the protocol, if there is still one. A panic of it goes on to
    /// whoever contains and reports it, and closes the transport.
    pub(super) fn call(
        self: &Rc<Self>,
        f: impl FnOnce(&mut dyn SubprocessProtocol, &SubprocessTransport) -> Answer,
    ) -> Answer {
        let transport = SubprocessTransport::of(self);
        let closes = CloseUnlessKept(&transport);
        // Borrowed already means a call from inside a call, which no turn makes.
        let answer = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => match &mut *protocol {
                Some(protocol) => f(&mut **protocol, &transport),
                None => Ok(()),
            },
            Err(_running) => Ok(()),
        };
        core::mem::forget(closes);
        answer
    }

    fn report_failure(&self, message: &'static str, answer: Answer) {
        if let Err(error) = answer {
            self.report(message, &error);
        }
    }

    #[cold]
    fn report(&self, message: &'static str, error: &ProtocolError) {
        self.owner.report(&ExceptionContext::new(message, Some(error)));
    }
}

/// Closes the transport of a protocol that is only half made, or has panicked.
struct CloseUnlessKept<'a>(&'a SubprocessTransport);

impl Drop for CloseUnlessKept<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The handle of a program that was started: clones name the same one.
///
/// Dropping all handles leaves the program to its protocol.
///
/// asyncio: `asyncio.SubprocessTransport`.
#[derive(Clone)]
pub struct SubprocessTransport {
    subprocess: Rc<Subprocess>,
}

impl SubprocessTransport {
    pub(super) fn of(subprocess: &Rc<Subprocess>) -> SubprocessTransport {
        SubprocessTransport { subprocess: subprocess.clone() }
    }

    /// Gives a program that runs, and its pipes, to `protocol`, whose
    /// `connection_made` is called in the next batch.
    ///
    /// # Errors
    ///
    /// [`Closed`]: the loop is closed; everything given is dropped.
    pub fn new<C, W, R, P>(
        event_loop: &EventLoop,
        child: C,
        pipes: ChildPipes<W, R>,
        protocol: P,
    ) -> Result<SubprocessTransport, Closed>
    where
        C: Child + 'static,
        W: ByteSource + 'static,
        R: ByteSource + 'static,
        P: SubprocessProtocol + 'static,
    {
        if event_loop.is_closed() {
            return Err(Closed);
        }
        let ChildPipes { stdin, stdout, stderr } = pipes;
        let open = [stdin.is_some(), stdout.is_some(), stderr.is_some()];
        let subprocess = Rc::new(Subprocess {
            child: Box::new(child),
            machine: Cell::new(Machine::new(open)),
            pipes: RefCell::new([const { None }; 3]),
            protocol: RefCell::new(Some(Box::new(protocol))),
            closing: Cell::new(false),
            owner: LoopMemory::of(event_loop),
        });
        // Ahead of the pipes' turns, so that connection_made is the first call.
        subprocess.make_ready();
        connect(event_loop, &subprocess, StandardStream::Stdin, stdin)?;
        connect(event_loop, &subprocess, StandardStream::Stdout, stdout)?;
        connect(event_loop, &subprocess, StandardStream::Stderr, stderr)?;
        subprocess.child.watch_exit(ExitWatcher(subprocess.clone()));
        Ok(SubprocessTransport { subprocess })
    }

    /// The program's number. Once it has ended, the number may be another's.
    ///
    /// asyncio: `transport.get_pid()`.
    pub fn get_pid(&self) -> u32 {
        self.subprocess.child.pid()
    }

    /// How it ended, in one number: its exit code, or the signal that ended it,
    /// below zero; `None` while it runs.
    ///
    /// asyncio: `transport.get_returncode()`.
    pub fn get_returncode(&self) -> Option<i32> {
        self.subprocess.child.returncode()
    }

    /// The connection of one of its standard streams, for writing to it,
    /// pausing it, closing it alone. `None` if that is no pipe, or is lost.
    ///
    /// asyncio: `transport.get_pipe_transport()`.
    pub fn get_pipe_transport(&self, fd: StandardStream) -> Option<Transport> {
        self.subprocess.pipes.borrow()[fd.fd()].as_ref().and_then(WeakTransport::upgrade)
    }

    /// Sends it a signal, by a backend's type of signals or by number.
    ///
    /// asyncio: `transport.send_signal()`.
    ///
    /// # Errors
    ///
    /// [`SendSignalError`]: it has ended, or the platform refuses.
    pub fn send_signal(&self, signal: impl Into<i32>) -> Result<(), SendSignalError> {
        let sent = self.subprocess.child.send_signal(signal.into());
        self.sent("send a signal to", sent)
    }

    /// Sends a signal to it and to all whom it has started, if it was started to
    /// lead a group.
    ///
    /// asyncio: `os.killpg(transport.get_pid(), signal)`.
    ///
    /// # Errors
    ///
    /// [`SendSignalError`]: it leads no group, or as
    /// [`send_signal`](Self::send_signal).
    pub fn signal_group(&self, signal: impl Into<i32>) -> Result<(), SendSignalError> {
        let sent = self.subprocess.child.signal_group(signal.into());
        self.sent("send a signal to the group of", sent)
    }

    /// Asks it to end. On Windows, which cannot ask, it ends it.
    ///
    /// asyncio: `transport.terminate()`.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> Result<(), SendSignalError> {
        self.sent("terminate", self.subprocess.child.terminate())
    }

    /// Ends it. asyncio: `transport.kill()`.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> Result<(), SendSignalError> {
        self.sent("kill", self.subprocess.child.kill())
    }

    fn sent(
        &self,
        operation: &'static str,
        result: Result<(), SignalRefusal>,
    ) -> Result<(), SendSignalError> {
        result.map_err(|cause| SendSignalError { operation, pid: self.get_pid(), cause })
    }

    /// Closes its pipes, and kills it if it runs. The protocol is told of all
    /// that, `connection_lost` last. Repeated, it does nothing.
    ///
    /// asyncio: `transport.close()`.
    pub fn close(&self) {
        if self.subprocess.closing.replace(true) {
            return;
        }
        for fd in [StandardStream::Stdin, StandardStream::Stdout, StandardStream::Stderr] {
            if let Some(pipe) = self.get_pipe_transport(fd) {
                pipe.close();
            }
        }
        if self.get_returncode().is_none() {
            // It may have ended just now.
            let _ = self.kill();
        }
    }

    /// Whether [`close`](Self::close) was called, or all is over.
    ///
    /// asyncio: `transport.is_closing()`.
    pub fn is_closing(&self) -> bool {
        self.subprocess.closing.get() || self.is_lost()
    }

    /// Whether it is over: `connection_lost` was called.
    pub fn is_lost(&self) -> bool {
        self.subprocess.machine.get().is_lost()
    }
}

/// Connects one pipe, if it is one.
fn connect<S: ByteSource + 'static>(
    event_loop: &EventLoop,
    subprocess: &Rc<Subprocess>,
    fd: StandardStream,
    pipe: Option<S>,
) -> Result<(), Closed> {
    let Some(pipe) = pipe else { return Ok(()) };
    let transport = Transport::new(event_loop, pipe, PipeProtocol::new(subprocess, fd))?;
    subprocess.pipes.borrow_mut()[fd.fd()] = Some(transport.downgrade());
    Ok(())
}

/// Gives a program that a backend has just started to `protocol`, whose
/// `connection_made` was called when this returns.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`], [`SourceError::Closed`].
///
/// # Cancellation
///
/// The transport is [closed](SubprocessTransport::close): the program is
/// killed, and the backend reaps it. The protocol is told as usual.
pub async fn connect_subprocess<C, W, R, P>(
    child: C,
    pipes: ChildPipes<W, R>,
    protocol: P,
) -> Result<SubprocessTransport, SourceError>
where
    C: Child + 'static,
    W: ByteSource + 'static,
    R: ByteSource + 'static,
    P: SubprocessProtocol + 'static,
{
    let event_loop = crate::schedule::current().ok_or(SourceError::NoRunningLoop)?;
    let transport = SubprocessTransport::new(event_loop, child, pipes, protocol)
        .map_err(|_closed| SourceError::Closed)?;
    let closes = CloseUnlessKept(&transport);
    // connection_made is queued, and so is this.
    yield_now().await;
    core::mem::forget(closes);
    Ok(transport)
}

impl fmt::Debug for SubprocessTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubprocessTransport")
            .field("pid", &self.get_pid())
            .field("returncode", &self.get_returncode())
            .finish_non_exhaustive()
    }
}
