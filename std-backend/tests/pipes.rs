//! Pipes, terminals and the standard streams.
#![cfg(unix)]

mod local;

use local::run;
use molen_core::io::source::SourceError;
use molen_core::{Duration, create_task, sleep, timeout};
use molen_std::pipe::{self, PipeRefused, ReadPipe, WritePipe};
use molen_std::subprocess::{Command, Redirect, create_subprocess_exec};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

fn ends() -> (ReadPipe, WritePipe) {
    let (reader, writer) = std::io::pipe().unwrap();
    (ReadPipe::new(reader).unwrap(), WritePipe::new(writer).unwrap())
}

#[test]
fn sixteen_megabytes_go_through_a_pipe() {
    run(async {
        let (reader, writer) = ends();
        let bytes: Vec<u8> = (0..16 << 20).map(|byte: u32| (byte % 251) as u8).collect();
        let sent = bytes.clone();
        let writing = create_task(async move { writer.write_all(&sent).await }).unwrap();
        let mut received = vec![1, 2, 3];
        assert_eq!(reader.read_to_end(&mut received).await, Ok(bytes.len()));
        assert!(received[3..] == bytes);
        writing.await.unwrap().unwrap();
        // The end stays the end.
        assert_eq!(reader.read(&mut [0; 8]).await, Ok(0));
    });
}

#[test]
fn a_reader_that_goes_is_noticed_without_writing() {
    run(async {
        let (reader, writer) = ends();
        assert!(timeout(Duration::from_millis(1), writer.disconnected()).await.is_err());
        let closing = create_task(async move {
            sleep(Duration::from_millis(5)).await;
            drop(reader);
        })
        .unwrap();
        writer.disconnected().await;
        closing.await.unwrap();
        assert_eq!(writer.write_all(b"x").await, Err(SourceError::ConnectionReset));
    });
}

#[test]
fn waiting_for_the_reader_to_go_does_not_disturb_writing() {
    run(async {
        let (reader, writer) = ends();
        assert!(timeout(Duration::from_millis(1), writer.disconnected()).await.is_err());
        writer.write_all(b"still there").await.unwrap();
        assert_eq!(reader.read(&mut [0; 32]).await, Ok(11));
    });
}

#[test]
fn closing_a_full_pipe_frees_who_waits_to_write() {
    run(async {
        let (reader, writer) = ends();
        let writer = std::rc::Rc::new(writer);
        let its = writer.clone();
        let writing = create_task(async move { its.write_all(&[0; 1 << 20]).await }).unwrap();
        sleep(Duration::from_millis(1)).await;
        writer.close();
        assert_eq!(writing.await.unwrap(), Err(SourceError::Closed));
        assert!(writer.is_closed());
        assert_eq!(writer.write(b"x").await, Err(SourceError::Closed));
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        assert!(!received.is_empty(), "what was written before is there");
    });
}

#[test]
fn a_file_is_refused_with_its_reason() {
    run(async {
        let error = ReadPipe::new(File::open("Cargo.toml").unwrap()).unwrap_err();
        assert!(matches!(error.cause, PipeRefused::NotAPipe));
        assert!(error.to_string().ends_with("it is no pipe, socket or character device"));
    });
    let (reader, _writer) = std::io::pipe().unwrap();
    let error = ReadPipe::new(reader).unwrap_err();
    assert!(matches!(error.cause, PipeRefused::Loop(SourceError::NoRunningLoop)));
}

/// A terminal: the end that a program has, and the one that its emulator has.
fn terminal() -> (OwnedFd, File) {
    let (mut program, mut emulator) = (0, 0);
    // SAFETY: the two numbers are written to; null means "as usual".
    unsafe {
        let null = std::ptr::null_mut();
        assert_eq!(libc::openpty(&mut emulator, &mut program, null, null.cast(), null.cast()), 0);
        (OwnedFd::from_raw_fd(program), File::from_raw_fd(emulator))
    }
}

#[test]
fn a_terminal_gives_lines_and_none_that_came_together_is_forgotten() {
    run(async {
        let (program, mut emulator) = terminal();
        let reader = ReadPipe::new(program.try_clone().unwrap()).unwrap();
        emulator.write_all(b"one\ntwo\nthree\n").unwrap();
        let mut buffer = [0; 64];
        for line in ["one\n", "two\n", "three\n"] {
            let length = timeout(Duration::from_secs(30), reader.read(&mut buffer)).await;
            assert_eq!(&buffer[..length.unwrap().unwrap()], line.as_bytes());
        }
        let writer = WritePipe::new(program).unwrap();
        writer.write_all(b"out").await.unwrap();
        drop((reader, writer));
    });
}

fn is_non_blocking(descriptor: impl AsFd) -> bool {
    rustix::fs::fcntl_getfl(descriptor).unwrap().contains(rustix::fs::OFlags::NONBLOCK)
}

/// What the child of the test below runs: all of its input to its output.
#[test]
fn as_a_child_it_copies_its_input_to_its_output() {
    if std::env::var_os("MOLEN_COPIES").is_none() {
        return;
    }
    run(async {
        // They can be had again, one after the other and at the same time.
        for _ in 0..2 {
            drop(pipe::stdin().unwrap());
        }
        let (_other, _errors) = (pipe::stdout().unwrap(), pipe::stderr().unwrap());
        let (input, output) = (pipe::stdin().unwrap(), pipe::stdout().unwrap());
        assert!(!is_non_blocking(std::io::stdin()) && !is_non_blocking(std::io::stdout()));
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).await.unwrap();
        output.write_all(&bytes).await.unwrap();
    });
    std::process::exit(0);
}

fn copier() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "as_a_child_it_copies_its_input_to_its_output"]);
    command.env("MOLEN_COPIES", "1");
    command
}

/// The test harness says a few lines before.
fn ends_with(output: &[u8], expected: &[u8]) -> bool {
    output.len() < expected.len() + 200 && output.ends_with(expected)
}

#[test]
fn the_standard_streams_are_pipes_files_and_nothing() {
    run(async {
        let bytes = vec![b'x'; 1 << 20];
        let mut command = copier();
        command.stdin(Redirect::Pipe).stdout(Redirect::Pipe);
        let mut child = create_subprocess_exec(&mut command).await.unwrap();
        let output = child.communicate(Some(&bytes)).await.unwrap();
        assert!(output.status.success() && ends_with(&output.stdout.unwrap(), &bytes));

        let source = File::open("Cargo.toml").unwrap();
        let name = std::env::temp_dir().join(format!("molen-pipes-{}", std::process::id()));
        let sink = File::create(&name).unwrap();
        let mut command = copier();
        command.stdin(Redirect::Descriptor(source.into()));
        command.stdout(Redirect::Descriptor(sink.into()));
        let child = create_subprocess_exec(&mut command).await.unwrap();
        assert!(child.wait().await.unwrap().success());
        let (mut copied, mut expected) = (Vec::new(), Vec::new());
        File::open(&name).unwrap().read_to_end(&mut copied).unwrap();
        File::open("Cargo.toml").unwrap().read_to_end(&mut expected).unwrap();
        std::fs::remove_file(&name).unwrap();
        assert!(ends_with(&copied, &expected));

        let mut command = copier();
        command.stdin(Redirect::Null).stdout(Redirect::Null);
        let child = create_subprocess_exec(&mut command).await.unwrap();
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_terminal_is_a_standard_input_and_stays_blocking() {
    run(async {
        let (program, mut emulator) = terminal();
        let mut command = copier();
        command.stdin(Redirect::Descriptor(program.try_clone().unwrap()));
        command.stdout(Redirect::Pipe);
        let mut child = create_subprocess_exec(&mut command).await.unwrap();
        // Two lines, and Ctrl-D.
        emulator.write_all(b"one\ntwo\n\x04").unwrap();
        let output = child.communicate(None).await.unwrap();
        assert!(output.status.success());
        assert!(ends_with(&output.stdout.unwrap(), b"one\ntwo\n"));
        assert!(!is_non_blocking(&program));
    });
}

#[test]
fn a_terminal_is_a_standard_output() {
    run(async {
        let (program, mut emulator) = terminal();
        let mut command = copier();
        command.stdin(Redirect::Pipe);
        command.stdout(Redirect::Descriptor(program.try_clone().unwrap()));
        let mut child = create_subprocess_exec(&mut command).await.unwrap();
        let output = child.communicate(Some(b"shown to the user")).await.unwrap();
        assert!(output.status.success() && output.stdout.is_none());
        assert!(!is_non_blocking(&program));
        let mut shown = vec![0; 4096];
        let length = emulator.read(&mut shown).unwrap();
        assert!(ends_with(&shown[..length], b"shown to the user"), "{:?}", &shown[..length]);
    });
}
