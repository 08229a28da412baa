//! Programs that run.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use crate::subprocesses::program;
use molen::net::{Answer, SendSignalError};
use molen::pipe::ReadPipe;
use molen::signals::Signal;
use molen::subprocess::{
    OnDrop, Process, ProcessError, SignalRefusal, SpawnRefused, SubprocessProtocol,
    SubprocessTransport, create_subprocess_exec, subprocess_exec,
};
use molen::{Duration, sleep, timeout};
use std::io::ErrorKind;
use std::vec::Vec;

/// Long enough for what is killed by mistake.
const A_WHILE: Duration = Duration::from_millis(50);

/// A child of the child answers, so it is there, and holds the child's pipes.
async fn grandchild_is_there(process: &mut Process) -> Result<ReadPipe, Failure> {
    let (Some(stdin), Some(stdout)) = (&process.stdin, process.stdout.take()) else {
        return Err(Failure::said("it has no pipes"));
    };
    ok(stdin.write_all(b"?\n").await)?;
    check_eq!(ok(ok(timeout(Duration::from_secs(20), stdout.read(&mut [0; 8])).await)?)?, 2);
    Ok(stdout)
}

/// Nobody holds the other end any more.
async fn is_cut(pipe: &ReadPipe) -> Outcome {
    let read = timeout(Duration::from_secs(20), pipe.read_to_end(&mut Vec::new())).await;
    ok(ok(read)?)?;
    Ok(())
}

async fn holds(pipe: &ReadPipe) -> Outcome {
    check!(timeout(A_WHILE, pipe.read(&mut [0; 8])).await.is_err(), "its child has ended");
    Ok(())
}

struct Nothing;

impl SubprocessProtocol for Nothing {
    fn process_exited(&mut self, _transport: &SubprocessTransport) -> Answer {
        Ok(())
    }
}

pub(super) fn a_group_is_sent_signals_as_one() -> Outcome {
    run(async {
        // Who leads none is sent nothing: it would be for us as well.
        let mut process = ok(create_subprocess_exec(program(&["sleep"])?.pipes()).await)?;
        let refused = process.signal_group(Signal::INT);
        check!(matches!(refused, Err(ProcessError::NoGroup { .. })), "a group was found");
        ok(process.kill())?;
        ok(process.wait().await)?;
        let transport = ok(subprocess_exec(program(&["sleep"])?.pipes(), Nothing).await)?;
        let refused = transport.signal_group(Signal::INT).map_err(|error| error.cause);
        check_eq!(refused, Err(SignalRefusal::NoGroup));
        transport.close();

        let mut command = program(&["family"])?;
        process = ok(create_subprocess_exec(command.pipes().process_group()).await)?;
        let stdout = grandchild_is_there(&mut process).await?;
        if cfg!(windows) {
            let refused = process.signal_group(Signal::KILL);
            check!(matches!(refused, Err(ProcessError::NotSent { .. })), "it was sent");
            // Its child reads to the end of the input.
            drop(process.stdin.take());
            ok(process.kill())?;
        } else {
            ok(process.signal_group(Signal::TERM))?;
        }
        ok(process.wait().await)?;
        is_cut(&stdout).await?;
        // From here on the number may be another's.
        let gone = process.signal_group(Signal::KILL);
        check!(matches!(gone, Err(ProcessError::NoSuchProcess { .. })), "a group was found");

        let transport = ok(subprocess_exec(command.pipes(), Nothing).await)?;
        let sent = transport.signal_group(if cfg!(windows) { Signal::TERM } else { Signal::KILL });
        check_eq!(sent.is_ok(), cfg!(unix));
        if let Err(SendSignalError { cause, .. }) = sent {
            check!(matches!(cause, SignalRefusal::Source(_)), "another reason");
            transport.close();
        }
        while transport.get_returncode().is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

/// Whether the system cannot end groups; then it has said so.
async fn cannot_end_groups() -> Result<bool, Failure> {
    if cfg!(unix) {
        return Ok(false);
    }
    let mut command = program(&["orphan"])?;
    match create_subprocess_exec(command.pipes().end_group_with_it()).await {
        Err(error) => match error.cause {
            SpawnRefused::Os(cause) => check_eq!(cause.kind(), ErrorKind::Unsupported),
            _ => return Err(Failure::said("another reason")),
        },
        Ok(_started) => return Err(Failure::said("it was started")),
    }
    Ok(true)
}

pub(super) fn what_is_left_of_a_group_ends_with_its_leader() -> Outcome {
    run(async {
        if cannot_end_groups().await? {
            return Err(Failure::Unsupported("groups of processes are known to consoles alone"));
        }
        // It leaves a child behind, and ends.
        let mut command = program(&["orphan", "5"])?;
        command.pipes().process_group();
        let mut process = ok(create_subprocess_exec(&mut command).await)?;
        check_eq!(ok(process.wait().await)?.code(), Some(5));
        let stdout = grandchild_is_there(&mut process).await?;
        holds(&stdout).await?;
        drop(process);
        is_cut(&stdout).await?;

        command.end_group_with_it();
        process = ok(create_subprocess_exec(&mut command).await)?;
        let Some(stdout) = process.stdout.take() else {
            return Err(Failure::said("it has no output"));
        };
        check_eq!(ok(process.wait().await)?.code(), Some(5));
        check!(process.stdin.is_some(), "it would end by itself");
        is_cut(&stdout).await?;

        // The same, seen by a protocol, and when it is killed.
        let mut command = program(&["family"])?;
        command.pipes().end_group_with_it();
        let transport = ok(subprocess_exec(&mut command, Nothing).await)?;
        ok(transport.kill())?;
        let over = async {
            while !transport.is_lost() {
                // Its pipes are, so nobody holds their other ends.
                sleep(Duration::from_millis(1)).await;
            }
        };
        ok(timeout(Duration::from_secs(20), over).await)?;
        check_eq!(transport.get_returncode(), Some(-9));
        Ok(())
    })
}

#[cfg(windows)]
pub(super) fn a_dropped_child_takes_its_group_along() -> Outcome {
    Err(Failure::Unsupported("groups of processes are known to consoles alone"))
}

#[cfg(unix)]
pub(super) fn a_dropped_child_takes_its_group_along() -> Outcome {
    let mut of_closed_loop = None;
    run(async {
        let mut command = program(&["family"])?;
        command.pipes().end_group_with_it().on_drop(OnDrop::Kill);
        let mut process = ok(create_subprocess_exec(&mut command).await)?;
        let stdout = grandchild_is_there(&mut process).await?;
        let stdin = process.stdin.take();
        drop(process);
        is_cut(&stdout).await?;
        drop(stdin);

        process = ok(create_subprocess_exec(&mut command).await)?;
        let stdout = grandchild_is_there(&mut process).await?;
        of_closed_loop = Some((process, ok(std::os::fd::AsFd::as_fd(&stdout).try_clone_to_owned())?));
        Ok(())
    })?;
    // Its loop is closed: nobody notices its end.
    let Some((mut process, stdout)) = of_closed_loop else {
        return Err(Failure::said("it was not started"));
    };
    let stdin = process.stdin.take();
    drop(process);
    run(async {
        is_cut(&ok(ReadPipe::new(stdout))?).await?;
        drop(stdin);
        Ok(())
    })
}

pub(super) fn a_child_may_lead_a_session_of_its_own() -> Outcome {
    run(async {
        let mut command = program(&["family"])?;
        let started = create_subprocess_exec(command.pipes().start_new_session()).await;
        if cfg!(windows) {
            let Err(error) = started else { return Err(Failure::said("it was started")) };
            check!(matches!(error.cause, SpawnRefused::Os(_)), "another reason");
            return Err(Failure::Unsupported("Windows has no such sessions"));
        }
        let mut process = ok(started)?;
        let stdout = grandchild_is_there(&mut process).await?;
        check_eq!(session(process.pid())?, process.pid());
        // With it goes a group, which can be sent signals.
        ok(process.signal_group(Signal::KILL))?;
        is_cut(&stdout).await?;
        // Told to lead a group first, it leads a session all the same.
        let mut command = program(&["sleep"])?;
        command.process_group().start_new_session().on_drop(OnDrop::Kill);
        let process = ok(create_subprocess_exec(&mut command).await)?;
        check_eq!(session(process.pid())?, process.pid());
        let mut command = program(&["sleep"])?;
        let process = ok(create_subprocess_exec(command.on_drop(OnDrop::Kill)).await)?;
        check_eq!(session(process.pid())?, session(std::process::id())?);
        Ok(())
    })
}

/// The number of the session that process `pid` belongs to.
fn session(pid: u32) -> Result<u32, Failure> {
    let stat = std::fs::read_to_string(std::format!("/proc/{pid}/stat"));
    let Ok(stat) = stat else {
        return Err(Failure::Unsupported("nothing tells of a process's session here"));
    };
    // What is before may have spaces: the program's name. Then: state, parent, group, session.
    let after_name = stat.rsplit_once(") ").map_or("", |(_before, after)| after);
    ok(after_name.split(' ').nth(3).unwrap_or_default().parse())
}

#[cfg(windows)]
pub(super) fn a_passed_descriptor_reaches_that_child_alone() -> Outcome {
    Err(Failure::Unsupported("Windows' children inherit no handles by number"))
}

#[cfg(unix)]
pub(super) fn a_passed_descriptor_reaches_that_child_alone() -> Outcome {
    use molen::subprocess::Command;
    use std::os::fd::AsRawFd;
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let reader = ok(ReadPipe::new(reader))?;
        let number = std::format!("{}", writer.as_raw_fd());
        let mut command = Command::shell("echo here >&$0");
        command.arg(&number).pass_fd(writer);
        check!(ok(ok(create_subprocess_exec(&mut command).await)?.wait().await)?.success(), "not passed");
        // Another one, started meanwhile, has not inherited it.
        let mut other = Command::shell("echo there >&$0");
        other.arg(&number).stderr(molen::subprocess::Redirect::Null);
        let status = ok(ok(create_subprocess_exec(&mut other).await)?.wait().await)?;
        check!(!status.success(), "it has it as well");
        // It stays open for as long as the command is there.
        let mut said = [0; 8];
        let length = ok(reader.read(&mut said).await)?;
        check_eq!(&said[..length], b"here\n");
        holds(&reader).await?;
        ok(ok(create_subprocess_exec(&mut command).await)?.wait().await)?;
        drop(command);
        let mut said = Vec::new();
        ok(reader.read_to_end(&mut said).await)?;
        check_eq!(said, b"here\n");
        Ok(())
    })
}
