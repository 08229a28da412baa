//! How programs are started, and what is left when they are not.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use molen::subprocess::{Command, Redirect, SpawnRefused, create_subprocess_exec, create_subprocess_shell, subprocess_exec};
use super::child::{open_files, program};
use super::fixture::{Telling, start};

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
        ok(start(&["exit"]).await?.communicate(None).await)?;
        let before = open_files();
        for _ in 0..10 {
            ok(start(&["cat"]).await?.communicate(Some(b"meow")).await)?;
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
