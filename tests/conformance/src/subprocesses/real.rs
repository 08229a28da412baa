//! Programs that run, and their pipes.

use super::child::{open_files, program};
use crate::case::{Failure, Outcome};
use crate::fixture::{event, test};
use crate::real::{ok, run};
use core::cell::RefCell;
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen::pipe::{ReadPipe, WritePipe, connect_read_pipe, connect_write_pipe};
use molen::signals::Signal;
use molen::subprocess::{
    Command, OnDrop, Process, ProcessError, Redirect, SignalRefusal, SpawnRefused, StandardStream,
    SubprocessProtocol, SubprocessTransport, create_subprocess_exec, create_subprocess_shell,
    subprocess_exec,
};
use molen::{Duration, Event, create_task, sleep, timeout, yield_now};
use std::rc::Rc;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Windows' pipes pass on what was written when it is read, Unix' at once.
const A_WHILE: Duration = Duration::from_millis(if cfg!(windows) { 50 } else { 5 });

/// The program `words` of `child`, started with pipes.
async fn start(words: &[&str]) -> Result<Process, Failure> {
    ok(create_subprocess_exec(program(words)?.pipes()).await)
}

async fn all_of(pipe: Option<ReadPipe>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        ok(pipe.read_to_end(&mut bytes).await)?;
    }
    Ok(bytes)
}

/// What is at its end when the program it was given to is gone.
struct Lifeline(ReadPipe);

impl Lifeline {
    /// For the next program that `command` starts; then the command must go.
    fn of(command: &mut Command) -> Result<Lifeline, Failure> {
        let (reader, writer) = ok(std::io::pipe())?;
        command.stdout(Redirect::Descriptor(writer.into()));
        Ok(Lifeline(ok(ReadPipe::new(reader))?))
    }

    async fn is_cut(&self) -> Outcome {
        let mut bytes = Vec::new();
        let read = timeout(Duration::from_secs(20), self.0.read_to_end(&mut bytes)).await;
        ok(ok(read)?)?;
        Ok(())
    }

    async fn holds(&self) -> Outcome {
        let read = timeout(A_WHILE, self.0.read(&mut [0; 8])).await;
        check!(read.is_err(), "the child has ended");
        Ok(())
    }
}

/// Waits until not even a zombie is left of a child.
#[cfg(unix)]
async fn until_reaped(pid: u32) -> Outcome {
    let ask = std::format!("kill -0 {pid} 2> /dev/null");
    while ok(ok(create_subprocess_shell(&ask).await)?.wait().await)?.success() {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// There are no zombies.
#[cfg(windows)]
async fn until_reaped(_pid: u32) -> Outcome {
    Ok(())
}

/// Waits until `count` events were noted, or for so long that there will be no more.
pub(crate) async fn until_events(count: usize) {
    let noted = async {
        while test().log.len() < count {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // What is missing is said by whoever checks.
    let _ = timeout(Duration::from_secs(20), noted).await;
}

/// Waits until a connection is over.
async fn until_lost(transport: &Transport) {
    while !transport.is_lost() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Notes what a pipe's protocol is told.
struct Notes;

impl Protocol for Notes {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        event("made");
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        event("data");
        Ok(())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        event("eof");
        // A pipe is not kept, whatever is said here.
        Ok(AfterEof::KeepOpen)
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        event(if error.is_some() { "lost by an error" } else { "lost" });
        Ok(())
    }
}

/// What a child's protocol was told, which comes in more than one order.
#[derive(Default)]
struct Heard {
    calls: RefCell<Vec<String>>,
    over: Event,
}

impl Heard {
    fn add(&self, call: &str) {
        self.calls.borrow_mut().push(call.into());
    }

    /// Where this was told, and that it was told once.
    fn position(&self, call: &str) -> Result<usize, Failure> {
        let calls = self.calls.borrow();
        let mut places = calls.iter().enumerate().filter(|(_, heard)| *heard == call);
        match (places.next(), places.next()) {
            (Some((at, _)), None) => Ok(at),
            _ => Err(Failure::shown(&format_args!("not {call} once: {calls:?}"))),
        }
    }

    /// Whether these were told in this order, with others between them.
    fn check_order(&self, calls: &[&str]) -> Outcome {
        let places = calls.iter().map(|call| self.position(call)).collect::<Result<Vec<_>, _>>()?;
        if places.is_sorted() {
            return Ok(());
        }
        Err(Failure::shown(&format_args!("{:?}", self.calls.borrow())))
    }

    async fn until_over(&self) -> Outcome {
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
struct Telling(Rc<Heard>);

fn named(what: &str, fd: StandardStream) -> String {
    std::format!("{what} {fd}")
}

impl SubprocessProtocol for Telling {
    fn connection_made(&mut self, _transport: &SubprocessTransport) -> Answer {
        self.0.add("made");
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

pub(super) fn a_read_pipe_connects_receives_and_closes() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let transport = ok(connect_read_pipe(ok(ReadPipe::new(reader))?, Notes).await)?;
        check_events!("made");
        ok(writer.write_all(b"one").await)?;
        until_events(2).await;
        check_events!("made", "data");
        drop(writer);
        until_lost(&transport).await;
        check_events!("made", "data", "eof", "lost");
        Ok(())
    })
}

pub(super) fn pausing_a_closed_pipe_does_nothing() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let transport = ok(connect_read_pipe(ok(ReadPipe::new(reader))?, Notes).await)?;
        transport.close();
        transport.pause_reading();
        transport.resume_reading();
        until_lost(&transport).await;
        transport.pause_reading();
        transport.resume_reading();
        check!(!transport.is_reading(), "it reads");
        drop(writer);
        check_events!("made", "lost");
        Ok(())
    })
}

/// The input of a program that reads nothing, and the program.
async fn unread() -> Result<(Process, WritePipe), Failure> {
    let mut process = start(&["sleep"]).await?;
    let Some(stdin) = process.stdin.take() else { return Err(Failure::said("it has no input")) };
    Ok((process, stdin))
}

pub(super) fn a_failed_write_loses_the_connection() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let transport = ok(connect_write_pipe(stdin, Notes).await)?;
        ok(transport.write(&vec![0; 1 << 20]))?;
        check!(transport.get_write_buffer_size() > 0, "nothing waits to be written");
        ok(process.kill())?;
        until_lost(&transport).await;
        check_eq!(transport.get_write_buffer_size(), 0);
        check_events!("made", "lost by an error");
        Ok(())
    })
}

pub(super) fn write_eof_waits_for_what_is_pending() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let reader = ok(ReadPipe::new(reader))?;
        let transport = ok(connect_write_pipe(ok(WritePipe::new(writer))?, Notes).await)?;
        ok(transport.write(&vec![0; 1 << 20]))?;
        ok(transport.write_eof())?;
        sleep(A_WHILE).await;
        check_events!("made");
        check_eq!(all_of(Some(reader)).await?.len(), 1 << 20);
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_closes_an_idle_transport() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let transport = ok(connect_write_pipe(stdin, Notes).await)?;
        sleep(A_WHILE).await;
        check!(!transport.is_closing(), "it is closing");
        ok(process.kill())?;
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_is_noticed_without_a_write() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let task = create_task(async move {
            stdin.disconnected().await;
            event("gone");
            stdin.write(b"x").await
        })?;
        sleep(A_WHILE).await;
        event("killing");
        ok(process.kill())?;
        check_eq!(task.await?, Err(SourceError::ConnectionReset));
        check_events!("killing", "gone");
        Ok(())
    })
}

pub(super) fn a_write_that_a_pipe_has_no_room_for_is_written_later() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let expected = bytes.clone();
        let writing = create_task(async move {
            writer.write_all(&bytes).await?;
            writer.close();
            writer.write(b"x").await
        })?;
        sleep(A_WHILE).await;
        let read = all_of(Some(ok(ReadPipe::new(reader))?)).await?;
        check!(read == expected, "what was read is not what was written");
        check_eq!(writing.await?, Err(SourceError::Closed));
        Ok(())
    })
}

pub(super) fn after_the_end_signals_find_no_such_process() -> Outcome {
    run(async {
        let process = start(&["exit", "3"]).await?;
        check_eq!(ok(process.wait().await)?.code(), Some(3));
        check_eq!(process.returncode(), Some(3));
        check_matches!(process.terminate(), Err(ProcessError::NoSuchProcess { .. }));
        check_matches!(process.kill(), Err(ProcessError::NoSuchProcess { .. }));
        let sent = process.send_signal(Signal::INT);
        check_matches!(sent, Err(ProcessError::NoSuchProcess { .. }));
        // To a protocol the same.
        let telling = Telling::default();
        let transport =
            ok(subprocess_exec(&mut program(&["exit", "4"])?, telling.clone()).await)?;
        telling.0.until_over().await?;
        telling.0.check_order(&["made", "exited", "lost"])?;
        check_eq!(transport.get_returncode(), Some(4));
        for sent in
            [transport.kill(), transport.terminate(), transport.send_signal(Signal::INT)]
        {
            check_matches!(sent.map_err(|error| error.cause), Err(SignalRefusal::NoSuchProcess));
        }
        Ok(())
    })
}

pub(super) fn of_each_pipe_a_protocol_hears_data_before_loss() -> Outcome {
    run(async {
        let telling = Telling::default();
        let transport = ok(subprocess_exec(program(&["tee"])?.pipes(), telling.clone()).await)?;
        let stdin = transport.get_pipe_transport(StandardStream::Stdin);
        let Some(stdin) = stdin else { return Err(Failure::said("it has no input")) };
        ok(stdin.write(b"to both"))?;
        ok(stdin.write_eof())?;
        telling.0.until_over().await?;
        telling.0.check_order(&["data of stdout", "lost stdout"])?;
        telling.0.check_order(&["data of stderr", "lost stderr"])?;
        telling.0.check_order(&["exited", "lost"])?;
        telling.0.position("lost stdin")?;
        check_eq!(transport.get_returncode(), Some(0));
        Ok(())
    })
}

pub(super) fn wait_returns_at_the_end_though_a_grandchild_holds_the_output() -> Outcome {
    run(async {
        // The grandchild reads what the child has inherited, until we close it.
        let mut process = start(&["orphan", "5"]).await?;
        check_eq!(ok(process.wait().await)?.code(), Some(5));
        event("ended");
        let output = process.stdout.take();
        let reading = create_task(async move {
            let output = all_of(output).await;
            event("pipe lost");
            output
        })?;
        sleep(A_WHILE).await;
        event("closing");
        drop(process.stdin.take());
        reading.await??;
        check_events!("ended", "closing", "pipe lost");
        Ok(())
    })
}

pub(super) fn a_grandchild_that_holds_the_output_delays_connection_lost_alone() -> Outcome {
    run(async {
        let telling = Telling::default();
        let transport =
            ok(subprocess_exec(program(&["orphan"])?.pipes(), telling.clone()).await)?;
        while transport.get_returncode().is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(A_WHILE).await;
        telling.0.position("exited")?;
        check!(!transport.is_lost(), "the grandchild's pipes are lost");
        let stdin = transport.get_pipe_transport(StandardStream::Stdin);
        let Some(stdin) = stdin else { return Err(Failure::said("it has no input")) };
        ok(stdin.write(b"to the grandchild"))?;
        stdin.close();
        telling.0.until_over().await?;
        telling.0.check_order(&["exited", "data of stdout", "lost stdout", "lost"])
    })
}

pub(super) fn closing_kills_a_running_child_and_no_finished_one() -> Outcome {
    run(async {
        let telling = Telling::default();
        let transport = ok(subprocess_exec(program(&["sleep"])?.pipes(), telling.clone()).await)?;
        transport.close();
        telling.0.until_over().await?;
        for call in ["exited", "lost stdin", "lost stdout", "lost stderr"] {
            telling.0.check_order(&[call, "lost"])?;
        }
        check_eq!(transport.get_returncode(), Some(if cfg!(windows) { 1 } else { -9 }));
        until_reaped(transport.get_pid()).await?;
        let telling = Telling::default();
        let transport = ok(subprocess_exec(&mut program(&["exit"])?, telling.clone()).await)?;
        telling.0.until_over().await?;
        transport.close();
        check_eq!(transport.get_returncode(), Some(0));
        Ok(())
    })
}

pub(super) fn a_dropped_child_is_killed_or_left() -> Outcome {
    run(async {
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        let running = ok(create_subprocess_exec(command.on_drop(OnDrop::Kill)).await)?;
        drop(command);
        lifeline.holds().await?;
        let pid = running.pid();
        drop(running);
        lifeline.is_cut().await?;
        until_reaped(pid).await?;
        // One that has ended has its own code, not the killer's.
        let finished =
            ok(create_subprocess_exec(program(&["exit"])?.on_drop(OnDrop::Kill)).await)?;
        check_eq!(ok(finished.wait().await)?.code(), Some(0));
        drop(finished);
        // And without being asked to, it kills none.
        let mut command = program(&["wait"])?;
        command.stdin(Redirect::Pipe);
        let lifeline = Lifeline::of(&mut command)?;
        let mut left = ok(create_subprocess_exec(&mut command).await)?;
        drop(command);
        let (pid, stdin) = (left.pid(), left.stdin.take());
        drop(left);
        lifeline.holds().await?;
        drop(stdin);
        lifeline.is_cut().await?;
        until_reaped(pid).await
    })
}

pub(super) fn a_cancelled_creation_leaves_no_child() -> Outcome {
    run(async {
        // Before its first step nothing is started.
        let early = async { create_subprocess_exec(&mut program(&["sleep"])?).await.map_err(shown) };
        let early = create_task(early)?;
        early.cancel();
        check!(early.await.is_err(), "it was not cancelled");
        // While the protocol waits to be told, the child is killed and reaped.
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        let telling = Telling::default();
        let its = telling.clone();
        let late = create_task(async move {
            let transport = subprocess_exec(&mut command, its).await;
            event("created");
            transport.map(|transport| transport.get_pid())
        })?;
        yield_now().await;
        late.cancel();
        check!(late.await.is_err(), "it was not cancelled");
        check_events!();
        lifeline.is_cut().await?;
        telling.0.until_over().await?;
        telling.0.check_order(&["made", "exited", "lost"])?;
        // A task that has the child kills and reaps it, if it is to.
        let pid = Rc::new(core::cell::Cell::new(0));
        let its = pid.clone();
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        command.on_drop(OnDrop::Kill);
        let having = create_task(async move {
            let process = create_subprocess_exec(&mut command).await;
            drop(command);
            its.set(process.as_ref().map_or(0, Process::pid));
            sleep(Duration::from_secs(60)).await;
        })?;
        while pid.get() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        having.cancel();
        check!(having.await.is_err(), "it was not cancelled");
        lifeline.is_cut().await?;
        until_reaped(pid.get()).await
    })
}

fn shown(error: impl core::fmt::Display) -> Failure {
    Failure::shown(&error)
}

pub(super) fn after_a_cancelled_wait_another_works() -> Outcome {
    run(async {
        let mut process = start(&["wait", "4"]).await?;
        check!(timeout(A_WHILE, process.wait()).await.is_err(), "it has ended");
        drop(process.stdin.take());
        check_eq!(ok(process.wait().await)?.code(), Some(4));
        Ok(())
    })
}

pub(super) fn communicate_ignores_a_broken_pipe() -> Outcome {
    run(async {
        let input = vec![b'x'; 1 << 20];
        let output = ok(start(&["exit"]).await?.communicate(Some(&input)).await)?;
        check!(output.status.success(), "it failed");
        let mut process = start(&["exit"]).await?;
        if let Some(stdin) = process.stdin.take() {
            check_eq!(stdin.write_all(&input).await, Err(SourceError::ConnectionReset));
        }
        ok(process.wait().await)?;
        Ok(())
    })
}

pub(super) fn empty_input_closes_the_standard_input() -> Outcome {
    run(async {
        for input in [Some(&b""[..]), None] {
            let output = ok(start(&["cat"]).await?.communicate(input).await)?;
            check_eq!(output.stdout.as_deref(), Some(&b""[..]));
        }
        Ok(())
    })
}

pub(super) fn the_standard_input_is_not_inherited_by_siblings() -> Outcome {
    run(async {
        let mut first = start(&["echo"]).await?;
        let mut sibling = program(&["sleep"])?;
        let second = ok(create_subprocess_exec(sibling.on_drop(OnDrop::Kill)).await)?;
        drop(first.stdin.take());
        let output = ok(first.communicate(None).await)?;
        check_eq!(output.stdout.as_deref(), Some(&b"end"[..]));
        check_eq!(second.returncode(), None);
        Ok(())
    })
}

pub(super) fn a_child_that_is_not_read_waits() -> Outcome {
    run(async {
        let mut process = start(&["much"]).await?;
        let waited = timeout(Duration::from_millis(50), process.wait()).await;
        check!(waited.is_err(), "it wrote more than the pipe holds");
        check_eq!(all_of(process.stdout.take()).await?.len(), 1_000_000);
        check_eq!(all_of(process.stderr.take()).await?, b"done");
        check!(ok(process.wait().await)?.success(), "it failed");
        // A protocol's pipe is paused and resumed.
        let telling = Telling::default();
        let transport = ok(subprocess_exec(program(&["much"])?.pipes(), telling.clone()).await)?;
        let stdout = transport.get_pipe_transport(StandardStream::Stdout);
        let Some(stdout) = stdout else { return Err(Failure::said("it has no output")) };
        stdout.pause_reading();
        sleep(Duration::from_millis(50)).await;
        check!(telling.0.position("data of stdout").is_err(), "a paused pipe is read");
        check_eq!(transport.get_returncode(), None);
        stdout.resume_reading();
        telling.0.until_over().await?;
        telling.0.check_order(&["data of stdout", "data of stderr", "lost"])
    })
}

pub(super) fn output_is_read_after_the_end() -> Outcome {
    run(async {
        let mut process = start(&["word"]).await?;
        ok(process.wait().await)?;
        check_eq!(all_of(process.stdout.take()).await?, b"left behind");
        Ok(())
    })
}

/// What a child takes no notice of.
#[cfg(unix)]
fn bother(process: &Process) -> Result<(), ProcessError> {
    process.send_signal(Signal::CONT)
}

/// Nothing leaves a process of Windows as it was: this ends it.
#[cfg(windows)]
fn bother(process: &Process) -> Result<(), ProcessError> {
    process.terminate()
}

pub(super) fn a_signal_that_races_with_the_end_steals_no_status() -> Outcome {
    run(async {
        for _ in 0..if cfg!(windows) { 4 } else { 20 } {
            let process = start(&["exit"]).await?;
            while process.returncode().is_none() {
                match bother(&process) {
                    Ok(()) | Err(ProcessError::NoSuchProcess { .. }) => yield_now().await,
                    Err(other) => return Err(Failure::shown(&other)),
                }
            }
            check_matches!(process.returncode(), Some(0) | Some(1));
            check!(cfg!(windows) || process.returncode() == Some(0), "a status was stolen");
        }
        Ok(())
    })
}

pub(super) fn errors_are_merged_into_the_output() -> Outcome {
    run(async {
        let mut command = program(&["both"])?;
        command.stdout(Redirect::Pipe).stderr_to_stdout();
        let mut process = ok(create_subprocess_exec(&mut command).await)?;
        check!(process.stderr.is_none(), "there is a pipe for errors");
        let output = ok(process.communicate(None).await)?;
        check_eq!(output.stdout.as_deref(), Some(&b"one two three"[..]));
        check_eq!(output.stderr, None);
        let telling = Telling::default();
        let transport = ok(subprocess_exec(&mut command, telling.clone()).await)?;
        check!(
            transport.get_pipe_transport(StandardStream::Stderr).is_none(),
            "there is a pipe for errors"
        );
        telling.0.until_over().await?;
        telling.0.check_order(&["data of stdout", "lost stdout", "lost"])
    })
}

pub(super) fn a_program_that_is_not_there_is_an_error() -> Outcome {
    run(async {
        let mut command = Command::new("no-such-program");
        command.pipes();
        let before = open_files();
        for _ in 0..10 {
            let refused = create_subprocess_exec(&mut command).await.map_err(|error| error.cause);
            check_matches!(refused, Err(SpawnRefused::Os(_)));
            let refused = subprocess_exec(&mut command, Telling::default()).await;
            check_matches!(refused.map_err(|error| error.cause), Err(SpawnRefused::Os(_)));
        }
        check_eq!(open_files(), before);
        Ok(())
    })
}

pub(super) fn children_leave_no_descriptors() -> Outcome {
    if cfg!(windows) {
        return Err(Failure::Unsupported("open handles are counted in the backend's own tests"));
    }
    run(async {
        // The loop and the table of its registrations have what they need.
        start(&["exit"]).await?.communicate(None).await.map_err(shown)?;
        let before = open_files();
        for _ in 0..10 {
            start(&["cat"]).await?.communicate(Some(b"meow")).await.map_err(shown)?;
            let telling = Telling::default();
            let transport =
                ok(subprocess_exec(program(&["sleep"])?.pipes(), telling.clone()).await)?;
            transport.close();
            telling.0.until_over().await?;
        }
        check_eq!(open_files(), before);
        Ok(())
    })
}

pub(super) fn the_end_by_a_signal_is_its_number_below_zero() -> Outcome {
    #[cfg(windows)]
    return Err(Failure::Unsupported("Windows ends no process by a signal"));
    #[cfg(unix)]
    run(async {
        let process = ok(create_subprocess_exec(&mut program(&["sleep"])?).await)?;
        ok(process.terminate())?;
        ok(process.wait().await)?;
        check_eq!(process.returncode(), Some(-Signal::TERM.as_raw()));
        Ok(())
    })
}

pub(super) fn large_outputs_and_inputs_do_not_wait_for_each_other() -> Outcome {
    run(async {
        let input = vec![b'x'; 1 << 20];
        let output = ok(start(&["tee"]).await?.communicate(Some(&input)).await)?;
        check!(output.stdout.as_ref() == Some(&input), "the output is not the input");
        check!(output.stderr.as_ref() == Some(&input), "the errors are not the input");
        Ok(())
    })
}

pub(super) fn closing_the_loop_ends_waiting() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    let mut command = program(&["sleep"])?;
    command.on_drop(OnDrop::Kill);
    let process = ok(event_loop.run_until_complete(create_subprocess_exec(&mut command))?)?;
    event_loop.close()?;
    run(async move {
        check_matches!(process.wait().await, Err(ProcessError::LoopClosed { .. }));
        let pid = process.pid();
        drop(process);
        // Whoever starts another child reaps it.
        until_reaped(pid).await
    })
}

pub(super) fn closing_the_loop_kills_a_protocols_child_if_so_wished() -> Outcome {
    let before = open_files();
    let event_loop = ok(molen::new_event_loop())?;
    let mut command = program(&["sleep"])?;
    let (reader, writer) = ok(std::io::pipe())?;
    command.pipes().stdout(Redirect::Descriptor(writer.into())).on_drop(OnDrop::Kill);
    let telling = Telling::default();
    let starting = subprocess_exec(&mut command, telling.clone());
    let transport = ok(event_loop.run_until_complete(starting)?)?;
    let pid = transport.get_pid();
    drop((transport, command));
    event_loop.close()?;
    drop(event_loop);
    check_eq!(telling.0.calls.borrow().as_slice(), ["made"]);
    run(async move {
        Lifeline(ok(ReadPipe::new(reader))?).is_cut().await?;
        until_reaped(pid).await
    })?;
    check_eq!(open_files(), before);
    Ok(())
}

pub(super) fn the_shell_runs_a_script() -> Outcome {
    run(async {
        let script = if cfg!(windows) { "echo one& exit 7" } else { "echo one; exit 7" };
        let mut command = Command::shell(script);
        command.stdout(Redirect::Pipe);
        let mut process = ok(create_subprocess_exec(&mut command).await)?;
        let output = ok(process.communicate(None).await)?;
        check_eq!(output.status.code(), Some(7));
        check_eq!(output.stdout.as_deref().map(<[u8]>::trim_ascii_end), Some(&b"one"[..]));
        check_eq!(ok(ok(create_subprocess_shell("exit 3").await)?.wait().await)?.code(), Some(3));
        Ok(())
    })
}

pub(super) fn the_standard_streams_are_pipes_files_and_nothing() -> Outcome {
    run(async {
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let output = ok(start(&["streams"]).await?.communicate(Some(&bytes)).await)?;
        check!(output.status.success(), "it failed");
        check!(output.stdout.as_ref() == Some(&bytes), "the output is not the input");
        // Files, which nobody waits for.
        let path = std::env::temp_dir().join(std::format!("molen-{}", std::process::id()));
        ok(std::fs::write(&path, &bytes))?;
        let copy = path.with_extension("copy");
        let mut command = program(&["streams"])?;
        command.stdin(Redirect::Descriptor(ok(std::fs::File::open(&path))?.into()));
        command.stdout(Redirect::Descriptor(ok(std::fs::File::create(&copy))?.into()));
        let process = ok(create_subprocess_exec(&mut command).await)?;
        drop(command);
        let status = ok(process.wait().await)?;
        let copied = ok(std::fs::read(&copy))?;
        ok(std::fs::remove_file(&path))?;
        ok(std::fs::remove_file(&copy))?;
        check!(status.success() && copied == bytes, "the copy is not the file");
        let mut command = program(&["streams"])?;
        command.stdin(Redirect::Null).stdout(Redirect::Null);
        let process = ok(create_subprocess_exec(&mut command).await)?;
        check!(ok(process.wait().await)?.success(), "it failed with nothing");
        Ok(())
    })
}

pub(super) fn each_line_of_the_standard_input_is_answered_at_once() -> Outcome {
    run(async {
        let mut process = start(&["lines"]).await?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::said("it has no pipes"));
        };
        let mut answer = [0; 64];
        for line in [&b"one\n"[..], b"two\n", b"three\n"] {
            ok(stdin.write_all(line).await)?;
            let mut length = 0;
            while !answer[..length].ends_with(b"\n") {
                let read = ok(stdout.read(&mut answer[length..]).await)?;
                check!(read > 0, "it has ended");
                length += read;
            }
            check_eq!(answer[..length].strip_prefix(b"> "), Some(line));
        }
        drop(stdin);
        check!(ok(process.wait().await)?.success(), "it failed");
        Ok(())
    })
}

pub(super) fn a_console_event_ends_a_child_in_its_own_group() -> Outcome {
    #[cfg(unix)]
    return Err(Failure::Unsupported("consoles and their events are Windows'"));
    #[cfg(windows)]
    run(async {
        let mut command = super::child::in_console(&["group"])?;
        let mut process = ok(create_subprocess_exec(command.pipes()).await)?;
        let output = ok(process.communicate(None).await)?;
        match output.status.code() {
            Some(0) => Ok(()),
            Some(77) => Err(Failure::Unsupported("this system's console sends no Ctrl-Break")),
            _ => Err(Failure::shown(&String::from_utf8_lossy(&output.stderr.unwrap_or_default()))),
        }
    })
}

/// In a process with a console of its own.
#[cfg(windows)]
pub(super) fn in_its_group() -> Outcome {
    run(async {
        let mut command = program(&["sleep"])?;
        let process = ok(create_subprocess_exec(command.process_group()).await)?;
        sleep(Duration::from_millis(300)).await;
        // Wine 8 knows Ctrl-C alone.
        if let Err(ProcessError::NotSent { .. }) = process.send_signal(Signal::BREAK) {
            ok(process.kill())?;
            ok(process.wait().await)?;
            return Err(Failure::Unsupported("it was refused"));
        }
        let ended = timeout(Duration::from_secs(10), process.wait()).await;
        // It may have ended just now.
        let _ = process.kill();
        check_eq!(ok(ok(ended)?)?.code(), Some(0xC000_013A_u32.cast_signed()));
        Ok(())
    })
}
