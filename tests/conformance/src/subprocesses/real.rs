//! Shells and what they run.

use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen::pipe::{ReadPipe, WritePipe, connect_read_pipe, connect_write_pipe};
use molen::signals::Signal;
use molen::subprocess::{
    Command, OnDrop, Process, ProcessError, Redirect, SpawnRefused, create_subprocess_exec,
};
use molen::{Duration, create_task, sleep, timeout, yield_now};
use std::rc::Rc;
use std::vec::Vec;
use std::{format, vec};

/// A shell with a script, whose standard streams are pipes.
async fn shell(script: &str) -> Result<Process, Failure> {
    let mut command = Command::shell(script);
    command.stdin(Redirect::Pipe).stdout(Redirect::Pipe).stderr(Redirect::Pipe);
    ok(create_subprocess_exec(&mut command).await)
}

fn sleeper(on_drop: OnDrop) -> Command {
    let mut command = Command::new("sleep");
    command.arg("60").on_drop(on_drop);
    command
}

async fn all_of(pipe: Option<ReadPipe>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        ok(pipe.read_to_end(&mut bytes).await)?;
    }
    Ok(bytes)
}

/// Whether process `pid` is there, if only as a zombie.
async fn exists(pid: u32) -> Result<bool, Failure> {
    let process = shell(&format!("kill -0 {pid}")).await?;
    Ok(ok(process.wait().await)?.success())
}

async fn until_gone(pid: u32) -> Outcome {
    while exists(pid).await? {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
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

pub(super) fn a_read_pipe_connects_receives_and_closes() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let transport = ok(connect_read_pipe(ok(ReadPipe::new(reader))?, Notes).await)?;
        check_events!("made");
        ok(writer.write_all(b"one").await)?;
        sleep(Duration::from_millis(5)).await;
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

pub(super) fn a_failed_write_loses_the_connection() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let transport = ok(connect_write_pipe(ok(WritePipe::new(writer))?, Notes).await)?;
        ok(transport.write(&vec![0; 1 << 20]))?;
        check!(transport.get_write_buffer_size() > 0, "nothing waits to be written");
        drop(reader);
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
        sleep(Duration::from_millis(5)).await;
        check_events!("made");
        check_eq!(all_of(Some(reader)).await?.len(), 1 << 20);
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_closes_an_idle_transport() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let transport = ok(connect_write_pipe(ok(WritePipe::new(writer))?, Notes).await)?;
        sleep(Duration::from_millis(5)).await;
        check!(!transport.is_closing(), "it is closing");
        drop(reader);
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_is_noticed_without_a_write() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let task = create_task(async move {
            writer.disconnected().await;
            event("gone");
            writer.write(b"x").await
        })?;
        yield_now().await;
        event("closing");
        drop(reader);
        check_eq!(task.await?, Err(SourceError::ConnectionReset));
        check_events!("closing", "gone");
        Ok(())
    })
}

pub(super) fn after_the_end_signals_find_no_such_process() -> Outcome {
    run(async {
        let process = shell("exit 3").await?;
        check_eq!(ok(process.wait().await)?.code(), Some(3));
        check_eq!(process.returncode(), Some(3));
        check_matches!(process.terminate(), Err(ProcessError::NoSuchProcess { .. }));
        check_matches!(process.kill(), Err(ProcessError::NoSuchProcess { .. }));
        let sent = process.send_signal(Signal::INT);
        check_matches!(sent, Err(ProcessError::NoSuchProcess { .. }));
        Ok(())
    })
}

pub(super) fn wait_returns_at_the_end_though_a_grandchild_holds_the_output() -> Outcome {
    run(async {
        // The grandchild reads what the child has inherited, until we close it.
        // As itself, for shells give what runs in the background no input.
        let mut process = shell("exec 3<&0; cat <&3 & exit 5").await?;
        check_eq!(ok(process.wait().await)?.code(), Some(5));
        event("ended");
        let output = process.stdout.take();
        let reading = create_task(async move {
            let output = all_of(output).await;
            event("pipe lost");
            output
        })?;
        sleep(Duration::from_millis(5)).await;
        event("closing");
        drop(process.stdin.take());
        reading.await??;
        check_events!("ended", "closing", "pipe lost");
        Ok(())
    })
}

pub(super) fn dropping_kills_a_running_child_and_no_finished_one() -> Outcome {
    run(async {
        let running = ok(create_subprocess_exec(&mut sleeper(OnDrop::Kill)).await)?;
        let pid = running.pid();
        check!(exists(pid).await?, "it does not run");
        drop(running);
        until_gone(pid).await?;
        let mut command = Command::shell("exit 0");
        let finished = ok(create_subprocess_exec(command.on_drop(OnDrop::Kill)).await)?;
        check_eq!(ok(finished.wait().await)?.code(), Some(0));
        drop(finished);
        // And without being asked to, it kills none.
        let mut command = Command::new("cat");
        command.stdin(Redirect::Pipe).stdout(Redirect::Null);
        let mut left = ok(create_subprocess_exec(&mut command).await)?;
        let (pid, stdin) = (left.pid(), left.stdin.take());
        drop(left);
        sleep(Duration::from_millis(5)).await;
        check!(exists(pid).await?, "it was ended");
        drop(stdin);
        until_gone(pid).await
    })
}

pub(super) fn a_cancelled_creation_leaves_no_child() -> Outcome {
    run(async {
        let create = async || create_subprocess_exec(&mut sleeper(OnDrop::Kill)).await;
        // Before its first step nothing is started.
        let early = create_task(create())?;
        early.cancel();
        check!(early.await.is_err(), "it was not cancelled");
        // Later the child is killed and reaped.
        let pid = Rc::new(core::cell::Cell::new(0));
        let its = pid.clone();
        let late = create_task(async move {
            let process = create().await;
            its.set(process.as_ref().map_or(0, Process::pid));
            sleep(Duration::from_secs(60)).await;
        })?;
        sleep(Duration::from_millis(1)).await;
        check!(pid.get() != 0, "it was not started");
        late.cancel();
        check!(late.await.is_err(), "it was not cancelled");
        until_gone(pid.get()).await
    })
}

pub(super) fn after_a_cancelled_wait_another_works() -> Outcome {
    run(async {
        let mut process = shell("read line; exit 4").await?;
        check!(timeout(Duration::from_millis(5), process.wait()).await.is_err(), "it has ended");
        drop(process.stdin.take());
        check_eq!(ok(process.wait().await)?.code(), Some(4));
        Ok(())
    })
}

pub(super) fn communicate_ignores_a_broken_pipe() -> Outcome {
    run(async {
        let input = vec![b'x'; 1 << 20];
        let output = ok(shell("exit 0").await?.communicate(Some(&input)).await)?;
        check!(output.status.success(), "it failed");
        let mut process = shell("exec <&-; echo closed; sleep 60").await?;
        let stdout = process.stdout.take();
        if let Some(stdout) = &stdout {
            ok(stdout.read(&mut [0; 16]).await)?;
        }
        if let Some(stdin) = process.stdin.take() {
            check_eq!(stdin.write_all(&input).await, Err(SourceError::ConnectionReset));
        }
        ok(process.kill())?;
        ok(process.wait().await)?;
        Ok(())
    })
}

pub(super) fn empty_input_closes_the_standard_input() -> Outcome {
    run(async {
        for input in [Some(&b""[..]), None] {
            let output = ok(shell("cat").await?.communicate(input).await)?;
            check_eq!(output.stdout.as_deref(), Some(&b""[..]));
        }
        Ok(())
    })
}

pub(super) fn the_standard_input_is_not_inherited_by_siblings() -> Outcome {
    run(async {
        let mut first = shell("cat; echo end").await?;
        let second = ok(create_subprocess_exec(&mut sleeper(OnDrop::Kill)).await)?;
        drop(first.stdin.take());
        let output = ok(first.communicate(None).await)?;
        check_eq!(output.stdout.as_deref(), Some(&b"end\n"[..]));
        check_eq!(second.returncode(), None);
        Ok(())
    })
}

pub(super) fn a_child_that_is_not_read_waits() -> Outcome {
    run(async {
        let mut process = shell("head -c 1000000 /dev/zero; echo done >&2").await?;
        let waited = timeout(Duration::from_millis(50), process.wait()).await;
        check!(waited.is_err(), "it wrote more than the pipe holds");
        check_eq!(all_of(process.stdout.take()).await?.len(), 1_000_000);
        check_eq!(all_of(process.stderr.take()).await?, b"done\n");
        check!(ok(process.wait().await)?.success(), "it failed");
        Ok(())
    })
}

pub(super) fn output_is_read_after_the_end() -> Outcome {
    run(async {
        let mut process = shell("echo left behind").await?;
        ok(process.wait().await)?;
        check_eq!(all_of(process.stdout.take()).await?, b"left behind\n");
        Ok(())
    })
}

pub(super) fn a_signal_that_races_with_the_end_steals_no_status() -> Outcome {
    run(async {
        for _ in 0..20 {
            let process = shell("exit 0").await?;
            while process.returncode().is_none() {
                match process.send_signal(Signal::CONT) {
                    Ok(()) | Err(ProcessError::NoSuchProcess { .. }) => yield_now().await,
                    Err(other) => return Err(Failure::shown(&other)),
                }
            }
            check_eq!(process.returncode(), Some(0));
        }
        Ok(())
    })
}

pub(super) fn errors_are_merged_into_the_output() -> Outcome {
    run(async {
        let mut command = Command::shell("echo one; echo two >&2; echo three");
        command.stdout(Redirect::Pipe).stderr_to_stdout();
        let mut process = ok(create_subprocess_exec(&mut command).await)?;
        check!(process.stderr.is_none(), "there is a pipe for errors");
        let output = ok(process.communicate(None).await)?;
        check_eq!(output.stdout.as_deref(), Some(&b"one\ntwo\nthree\n"[..]));
        check_eq!(output.stderr, None);
        Ok(())
    })
}

pub(super) fn a_program_that_is_not_there_is_an_error() -> Outcome {
    run(async {
        let descriptors = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        let mut command = Command::new("no-such-program");
        command.stdin(Redirect::Pipe).stdout(Redirect::Pipe).stderr(Redirect::Pipe);
        let before = descriptors();
        for _ in 0..10 {
            let refused = create_subprocess_exec(&mut command).await.map_err(|error| error.cause);
            check_matches!(refused, Err(SpawnRefused::Os(_)));
        }
        check_eq!(descriptors(), before);
        Ok(())
    })
}

pub(super) fn the_end_by_a_signal_is_its_number_below_zero() -> Outcome {
    run(async {
        let process = ok(create_subprocess_exec(&mut sleeper(OnDrop::Kill)).await)?;
        check_eq!(process.returncode(), None);
        ok(process.send_signal(Signal::HUP))?;
        ok(process.wait().await)?;
        check_eq!(process.returncode(), Some(-Signal::HUP.as_raw()));
        Ok(())
    })
}

pub(super) fn large_outputs_and_inputs_do_not_wait_for_each_other() -> Outcome {
    run(async {
        let input: Vec<u8> = (0..4 << 20).map(|byte: u32| (byte % 251) as u8).collect();
        let output = ok(shell("tee /dev/stderr").await?.communicate(Some(&input)).await)?;
        check!(output.stdout.as_ref() == Some(&input), "the output is not the input");
        check!(output.stderr.as_ref() == Some(&input), "the errors are not the input");
        Ok(())
    })
}

pub(super) fn closing_the_loop_ends_waiting() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    let mut command = sleeper(OnDrop::Kill);
    let process = ok(event_loop.run_until_complete(create_subprocess_exec(&mut command))?)?;
    event_loop.close()?;
    run(async move {
        check_matches!(process.wait().await, Err(ProcessError::LoopClosed { .. }));
        let pid = process.pid();
        drop(process);
        // Whoever starts another child reaps it.
        until_gone(pid).await
    })
}
