//! What goes through the standard streams of a child.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use molen::{Duration, sleep, timeout};
use molen::io::source::SourceError;
use molen::subprocess::{OnDrop, Redirect, StandardStream, create_subprocess_exec, subprocess_exec};
use std::vec;
use std::vec::Vec;
use super::child::program;
use super::fixture::{Telling, all_of, start};

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
        telling.0.pauses.set(true);
        let transport = ok(subprocess_exec(program(&["much"])?.pipes(), telling.clone()).await)?;
        let stdout = transport.get_pipe_transport(StandardStream::Stdout);
        let Some(stdout) = stdout else { return Err(Failure::said("it has no output")) };
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

pub(super) fn large_outputs_and_inputs_do_not_wait_for_each_other() -> Outcome {
    run(async {
        let input = vec![b'x'; 1 << 20];
        let output = ok(start(&["tee"]).await?.communicate(Some(&input)).await)?;
        check!(output.stdout.as_ref() == Some(&input), "the output is not the input");
        check!(output.stderr.as_ref() == Some(&input), "the errors are not the input");
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
