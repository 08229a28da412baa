//! Real programs: started, fed, read, waited for, ended.
#![cfg(unix)]

mod local;

use core::cell::RefCell;
use local::run;
use molen_core::io::source::SourceError;
use molen_core::schedule::ExceptionContext;
use molen_core::{Duration, create_task, get_running_loop, sleep, timeout};
use molen_std::pipe::ReadPipe;
use molen_std::signals::Signal;
use molen_std::subprocess::{
    Command, OnDrop, Process, ProcessError, Redirect, SpawnRefused, create_subprocess_exec,
    create_subprocess_shell,
};
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// Runs a script whose standard streams are pipes.
async fn shell(script: &str) -> Process {
    let mut command = Command::shell(script);
    command.stdin(Redirect::Pipe).stdout(Redirect::Pipe).stderr(Redirect::Pipe);
    create_subprocess_exec(&mut command).await.expect("the shell starts")
}

async fn read_all(pipe: Option<ReadPipe>) -> String {
    let mut bytes = Vec::new();
    pipe.expect("a pipe").read_to_end(&mut bytes).await.expect("it can be read");
    String::from_utf8(bytes).expect("text")
}

/// Whether process `pid` is there, if only as a zombie.
fn exists(pid: u32) -> bool {
    // SAFETY: it has no pointers; signal 0 is none.
    unsafe { libc::kill(pid.cast_signed(), 0) == 0 }
}

async fn until_gone(pid: u32) {
    while exists(pid) {
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_program_is_fed_read_and_waited_for() {
    run(async {
        let mut process = shell("cat; echo oops >&2; exit 3").await;
        assert_eq!(process.returncode(), None);
        let output = process.communicate(Some(b"hello")).await.unwrap();
        assert_eq!(output.stdout.as_deref(), Some(&b"hello"[..]));
        assert_eq!(output.stderr.as_deref(), Some(&b"oops\n"[..]));
        assert_eq!(process.returncode(), Some(3));
        assert_eq!(process.wait().await.unwrap().code(), Some(3));
    });
}

#[test]
fn sixteen_megabytes_go_in_and_out_while_nobody_waits_for_the_other() {
    run(async {
        let input: Vec<u8> = (0..16 << 20).map(|byte: u32| (byte % 251) as u8).collect();
        let mut process = shell("tee /dev/stderr").await;
        let output = process.communicate(Some(&input)).await.unwrap();
        assert!(output.stdout == Some(input.clone()) && output.stderr == Some(input));
    });
}

#[test]
fn a_child_that_reads_nothing_breaks_the_pipe_and_communicate_minds_not() {
    run(async {
        let input = vec![b'x'; 1 << 20];
        let mut process = shell("exit 0").await;
        assert!(process.communicate(Some(&input)).await.unwrap().status.success());
        let mut process = shell("exit 0").await;
        let stdin = process.stdin.take().unwrap();
        stdin.disconnected().await;
        assert_eq!(stdin.write_all(&input).await, Err(SourceError::ConnectionReset));
        assert!(process.wait().await.unwrap().success());
    });
}

#[test]
fn empty_input_and_no_input_close_the_standard_input() {
    run(async {
        for input in [Some(&b""[..]), None] {
            let output = shell("cat").await.communicate(input).await.unwrap();
            assert_eq!(output.stdout.as_deref(), Some(&b""[..]));
        }
        let mut process = create_subprocess_shell("exit 0").await.unwrap();
        let refused = process.communicate(Some(b"x")).await;
        assert!(matches!(refused, Err(ProcessError::NoStdin { .. })));
        process.wait().await.unwrap();
    });
}

#[test]
fn wait_ends_with_the_child_though_a_grandchild_holds_its_output() {
    run(async {
        let mut process = shell("sleep 60 & echo $!; exit 5").await;
        let status = timeout(Duration::from_secs(30), process.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(5));
        let mut line = [0; 16];
        let length = process.stdout.as_ref().unwrap().read(&mut line).await.unwrap();
        let grandchild: i32 = str::from_utf8(&line[..length]).unwrap().trim().parse().unwrap();
        // SAFETY: it has no pointers.
        assert_eq!(unsafe { libc::kill(grandchild, libc::SIGKILL) }, 0);
        assert_eq!(read_all(process.stdout.take()).await, "");
    });
}

#[test]
fn output_is_read_after_the_end() {
    run(async {
        let mut process = shell("echo left behind").await;
        assert!(process.wait().await.unwrap().success());
        assert_eq!(read_all(process.stdout.take()).await, "left behind\n");
    });
}

#[test]
fn signals_end_a_child_and_find_nobody_after_that() {
    run(async {
        let process = shell("sleep 60").await;
        process.send_signal(Signal::from_raw(libc::SIGHUP).unwrap()).unwrap();
        process.wait().await.unwrap();
        assert_eq!(process.returncode(), Some(-libc::SIGHUP));
        for result in [process.send_signal(Signal::INT), process.terminate(), process.kill()] {
            assert!(matches!(result, Err(ProcessError::NoSuchProcess { .. })), "{result:?}");
        }
        let process = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done").await;
        process.stdout.as_ref().unwrap().read(&mut [0; 16]).await.unwrap();
        process.terminate().unwrap();
        process.wait().await.unwrap();
        assert_eq!(process.returncode(), Some(7));
    });
}

#[test]
fn a_signal_that_races_with_the_end_never_costs_the_status() {
    run(async {
        for _ in 0..50 {
            let process = shell("exit 0").await;
            loop {
                match process.send_signal(Signal::CONT) {
                    Ok(()) => sleep(Duration::ZERO).await,
                    Err(ProcessError::NoSuchProcess { .. }) => break,
                    Err(other) => panic!("{other}"),
                }
                if process.returncode().is_some() {
                    break;
                }
            }
            assert_eq!(process.wait().await.unwrap().code(), Some(0));
        }
    });
}

#[test]
fn a_cancelled_wait_leaves_another_and_many_may_wait() {
    run(async {
        let process = Rc::new(shell("read line").await);
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let process = process.clone();
                create_task(async move { process.wait().await.unwrap().code() }).unwrap()
            })
            .collect();
        assert!(timeout(Duration::from_millis(10), process.wait()).await.is_err());
        waiters[0].cancel();
        sleep(Duration::ZERO).await;
        process.stdin.as_ref().unwrap().write_all(b"\n").await.unwrap();
        assert_eq!(process.wait().await.unwrap().code(), Some(0));
        for (number, waiter) in waiters.into_iter().enumerate() {
            assert_eq!(waiter.await.ok(), (number > 0).then_some(Some(0)));
        }
    });
}

#[test]
fn a_stolen_status_is_255_and_reported() {
    run(async {
        let reports = Rc::new(RefCell::new(Vec::new()));
        let its = reports.clone();
        let event_loop = get_running_loop().unwrap();
        event_loop.set_exception_handler(Some(Rc::new(
            move |_loop, context: &ExceptionContext<'_>| {
                its.borrow_mut().push(context.to_string());
                Ok(())
            },
        )));
        let process = shell("exit 0").await;
        let mut status = 0;
        // SAFETY: the status lives through the call.
        let reaped = unsafe { libc::waitpid(process.pid().cast_signed(), &mut status, 0) };
        assert_eq!(reaped, process.pid().cast_signed());
        assert_eq!(process.wait().await.unwrap().code(), Some(255));
        assert!(matches!(process.kill(), Err(ProcessError::NoSuchProcess { .. })));
        assert_eq!(reports.borrow().len(), 1);
        assert!(reports.borrow()[0].starts_with("somebody else has taken the exit status"));
    });
}

#[test]
fn dropping_leaves_the_child_or_kills_it_and_reaps_both() {
    run(async {
        let mut command = Command::new("cat");
        command.stdin(Redirect::Pipe).stdout(Redirect::Null);
        let mut left = create_subprocess_exec(&mut command).await.unwrap();
        let (pid, stdin) = (left.pid(), left.stdin.take().unwrap());
        drop(left);
        sleep(Duration::from_millis(20)).await;
        assert!(exists(pid));
        stdin.close();
        until_gone(pid).await;

        let mut command = Command::new("sleep");
        command.arg("60").on_drop(OnDrop::Kill);
        let killed = create_subprocess_exec(&mut command).await.unwrap();
        let pid = killed.pid();
        drop(killed);
        until_gone(pid).await;
    });
}

#[test]
fn a_task_that_is_cancelled_while_it_has_a_child_kills_and_reaps_it() {
    run(async {
        let pid = Rc::new(RefCell::new(None));
        let its = pid.clone();
        let task = create_task(async move {
            let mut command = Command::new("sleep");
            command.arg("60").on_drop(OnDrop::Kill);
            let process = create_subprocess_exec(&mut command).await.unwrap();
            *its.borrow_mut() = Some(process.pid());
            process.wait().await.unwrap();
        })
        .unwrap();
        sleep(Duration::from_millis(1)).await;
        let pid = pid.borrow().expect("it was started");
        assert!(exists(pid));
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        until_gone(pid).await;
    });
}

#[test]
fn children_of_a_closed_loop_are_reaped_with_the_next() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let spawn = async |on_drop| {
        let mut command = Command::new("sleep");
        create_subprocess_exec(command.arg("0.05").on_drop(on_drop)).await.unwrap()
    };
    let (left, killed) = event_loop
        .run_until_complete(async { (spawn(OnDrop::Leave).await, spawn(OnDrop::Kill).await) })
        .unwrap();
    event_loop.close().unwrap();
    let pids = [left.pid(), killed.pid()];
    run(async {
        let waited = left.wait().await;
        assert!(matches!(waited, Err(ProcessError::LoopClosed { .. })));
        drop((left, killed));
        while pids.iter().any(|pid| exists(*pid)) {
            sleep(Duration::from_millis(10)).await;
            shell("exit 0").await.wait().await.unwrap();
        }
    });
}

#[test]
fn what_cannot_be_started_is_an_error_with_its_name() {
    run(async {
        let error = create_subprocess_exec(&mut Command::new("no-such-program")).await.unwrap_err();
        assert!(matches!(error.cause, SpawnRefused::Os(_)));
        assert!(error.to_string().starts_with("cannot start \"no-such-program\": No such file"));
        let error = create_subprocess_exec(Command::new("cat").current_dir("/nowhere")).await;
        assert!(error.is_err());
    });
    let mut future = core::pin::pin!(create_subprocess_shell("exit 0"));
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        core::task::Poll::Ready(Err(error)) => {
            assert!(matches!(error.cause, SpawnRefused::Loop(SourceError::NoRunningLoop)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn errors_go_where_the_output_goes_in_order() {
    run(async {
        let script = "echo one; echo two >&2; echo three";
        let mut command = Command::shell(script);
        command.stdout(Redirect::Pipe).stderr_to_stdout();
        // Twice, because the command must not keep the pipe.
        for _ in 0..2 {
            let mut process = create_subprocess_exec(&mut command).await.unwrap();
            assert!(process.stderr.is_none());
            let output = process.communicate(None).await.unwrap();
            assert_eq!(output.stdout.as_deref(), Some(&b"one\ntwo\nthree\n"[..]));
        }
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = Command::shell(script);
        command.stdout(Redirect::Descriptor(OwnedFd::from(writer))).stderr_to_stdout();
        create_subprocess_exec(&mut command).await.unwrap().wait().await.unwrap();
        drop(command);
        let reader = ReadPipe::new(reader).unwrap();
        assert_eq!(read_all(Some(reader)).await, "one\ntwo\nthree\n");
    });
}

#[test]
fn a_child_does_not_inherit_the_pipes_of_its_siblings() {
    run(async {
        let mut reader = shell("cat; echo end").await;
        let sibling = shell("sleep 60").await;
        drop(reader.stdin.take());
        let output = timeout(Duration::from_secs(30), reader.communicate(None)).await;
        assert_eq!(output.unwrap().unwrap().stdout.as_deref(), Some(&b"end\n"[..]));
        sibling.kill().unwrap();
        sibling.wait().await.unwrap();
    });
}

#[test]
fn a_child_that_is_not_read_waits_and_nothing_is_lost() {
    run(async {
        let mut process = shell("head -c 1000000 /dev/zero; echo done >&2").await;
        let waited = timeout(Duration::from_millis(50), process.wait()).await;
        assert!(waited.is_err(), "it wrote more than a pipe holds");
        assert_eq!(read_all(process.stdout.take()).await.len(), 1_000_000);
        assert_eq!(read_all(process.stderr.take()).await, "done\n");
        assert!(process.wait().await.unwrap().success());
    });
}

#[test]
#[cfg(target_os = "linux")]
fn two_hundred_children_leave_no_descriptor() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let children = || {
        run(async {
            for _ in 0..10 {
                let tasks: Vec<_> = (0..10)
                    .map(|_| {
                        create_task(async {
                            let output = shell("cat").await.communicate(Some(b"x")).await;
                            assert_eq!(output.unwrap().stdout.as_deref(), Some(&b"x"[..]));
                            assert!(create_subprocess_exec(&mut Command::new("/")).await.is_err());
                        })
                        .unwrap()
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            }
        });
    };
    children();
    // Other tests have descriptors open: what leaks here is hundreds.
    let before = descriptors();
    children();
    assert!(descriptors() < before + 50, "{} descriptors, {before} before", descriptors());
}
