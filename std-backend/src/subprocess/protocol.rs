//! A child as a protocol sees it.

use super::command::Command;
use super::exit::Exit;
use super::process_error::{SpawnError, SpawnRefused};
use super::system;
use crate::signals::Signal;
use molen_core::net::{
    Child, ExitWatcher, SignalRefusal, SubprocessProtocol, SubprocessTransport, connect_subprocess,
};
use std::ffi::OsStr;
use std::rc::Rc;

/// The core's hold on a child.
struct Held(Rc<Exit>);

impl Held {
    fn send(&self, signal: Signal) -> Result<(), SignalRefusal> {
        self.0.send_signal(signal).map_err(|error| system::refusal(&error))
    }
}

impl Child for Held {
    fn pid(&self) -> u32 {
        self.0.pid()
    }

    fn returncode(&self) -> Option<i32> {
        self.0.status().map(system::returncode)
    }

    fn watch_exit(&self, watcher: ExitWatcher) {
        self.0.watch(watcher);
    }

    fn send_signal(&self, signal: i32) -> Result<(), SignalRefusal> {
        match Signal::from_raw(signal) {
            Ok(signal) => self.send(signal),
            Err(_invalid) => Err(SignalRefusal::InvalidSignal),
        }
    }

    fn signal_group(&self, signal: i32) -> Result<(), SignalRefusal> {
        if !self.0.leads_group() {
            return Err(SignalRefusal::NoGroup);
        }
        let signal = Signal::from_raw(signal).map_err(|_invalid| SignalRefusal::InvalidSignal)?;
        self.0.signal_group(signal).map_err(|error| system::refusal(&error))
    }

    fn terminate(&self) -> Result<(), SignalRefusal> {
        self.send(Signal::TERM)
    }

    fn kill(&self) -> Result<(), SignalRefusal> {
        self.send(Signal::KILL)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.owner_dropped();
    }
}

/// Starts a program, as a child of the running loop's process, and gives it to
/// `protocol`, whose `connection_made` was called when this returns.
///
/// The same command can be started again. What [`Command::on_drop`] says is done
/// when the loop is closed before the child has ended: dropping the transport
/// leaves the child to its protocol.
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::Answer;
/// use molen::sync::Event;
/// use molen::subprocess::{
///     Command, StandardStream, SubprocessProtocol, SubprocessTransport, subprocess_exec,
/// };
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// #[derive(Clone, Default)]
/// struct Collecting(Rc<(RefCell<Vec<u8>>, Event)>);
///
/// impl SubprocessProtocol for Collecting {
///     fn pipe_data_received(
///         &mut self,
///         _transport: &SubprocessTransport,
///         _fd: StandardStream,
///         data: &[u8],
///     ) -> Answer {
///         self.0.0.borrow_mut().extend_from_slice(data);
///         Ok(())
///     }
///
///     fn process_exited(&mut self, _transport: &SubprocessTransport) -> Answer {
///         self.0.1.set();
///         Ok(())
///     }
/// }
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let collecting = Collecting::default();
///     let mut command = Command::shell("echo meow");
///     let transport = subprocess_exec(command.pipes(), collecting.clone()).await?;
///     collecting.0.1.wait().await;
///     assert_eq!(transport.get_returncode(), Some(0));
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `loop.subprocess_exec()`.
///
/// # Errors
///
/// [`SpawnError`]: there is no such program, no loop of this crate runs, or the
/// system has no processes or descriptors left. Nothing is left behind.
///
/// # Cancellation
///
/// Before the first step nothing is started. After it the transport is closed:
/// the child is killed, and the loop reaps it. The protocol is told of it.
pub async fn subprocess_exec<P: SubprocessProtocol + 'static>(
    command: &mut Command,
    protocol: P,
) -> Result<SubprocessTransport, SpawnError> {
    let (exit, pipes) = match command.start() {
        Ok(started) => started,
        Err(cause) => return Err(command.refused(cause)),
    };
    let connected = connect_subprocess(Held(exit), pipes, protocol).await;
    connected.map_err(|error| command.refused(SpawnRefused::Loop(error)))
}

/// Has the shell run `script`, with pipes for its standard streams, and gives it
/// to `protocol`; for other streams see [`Command::shell`].
///
/// asyncio: `loop.subprocess_shell()`.
///
/// # Errors
///
/// As [`subprocess_exec`].
///
/// # Cancellation
///
/// As [`subprocess_exec`].
pub async fn subprocess_shell<P: SubprocessProtocol + 'static>(
    script: impl AsRef<OsStr>,
    protocol: P,
) -> Result<SubprocessTransport, SpawnError> {
    subprocess_exec(Command::shell(script).pipes(), protocol).await
}
