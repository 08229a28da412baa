//! What is started, and where its standard streams go.

use super::exit::Exit;
use super::group::Group;
use super::process::Process;
use super::process_error::{SpawnError, SpawnRefused};
use super::system;
use crate::pipe::direction::Direction;
use crate::pipe::handle::{OwnedOpen, duplicate};
use crate::pipe::{ReadPipe, WritePipe};
use crate::selector::StdSelector;
use molen_core::io::source::SourceError;
use molen_core::net::ChildPipes;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Stdio};
use std::rc::Rc;

/// Where one of a child's standard streams goes.
#[derive(Debug, Default)]
pub enum Redirect {
    /// Where ours goes. asyncio: `None`.
    #[default]
    Inherit,
    /// Nowhere: there is nothing to read, and what is written is gone.
    /// asyncio: `DEVNULL`.
    Null,
    /// To us, through a pipe. asyncio: `PIPE`.
    Pipe,
    /// To a file, a pipe, a socket that is open already; on Windows by its handle.
    Descriptor(OwnedOpen),
}

/// What happens to a child whose [`Process`] is dropped before it has ended, and
/// one whose loop is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnDrop {
    /// It goes on, and is reaped when it ends.
    #[default]
    Leave,
    /// It is ended by SIGKILL (on Windows `TerminateProcess`), and reaped.
    Kill,
}

enum Stderr {
    To(Redirect),
    Stdout,
}

/// A program to start, with its arguments and surroundings: the standard
/// library's builder, but with a loop's pipes.
///
/// Standard streams are inherited unless told otherwise. Other descriptors that
/// are not close-on-exec are inherited as well; those that Rust's libraries open are.
///
/// | keyword of asyncio's `create_subprocess_exec` | here |
/// |---|---|
/// | `stdin`, `stdout`, `stderr` | [`stdin`](Self::stdin) … with a [`Redirect`]; `stderr=STDOUT`: [`stderr_to_stdout`](Self::stderr_to_stdout) |
/// | `cwd` | [`current_dir`](Self::current_dir) |
/// | `env` | [`env_clear`](Self::env_clear) and [`envs`](Self::envs); one more: [`env`](Self::env) |
/// | `process_group=0`, `creationflags=CREATE_NEW_PROCESS_GROUP` | [`process_group`](Self::process_group) |
/// | `process_group=n` | `as_std_mut().process_group(n)` |
/// | `start_new_session` | [`start_new_session`](Self::start_new_session) |
/// | `pass_fds` | [`pass_fd`](Self::pass_fd) |
/// | `close_fds=False` | always so, but hardly any descriptor is without close-on-exec |
/// | `restore_signals` | always so for SIGPIPE, which programs in Rust ignore; nothing is blocked |
/// | `user`, `group` | `as_std_mut().uid(…)`, `.gid(…)`, which take numbers |
/// | `executable` | [`new`](Self::new) takes it; `as_std_mut().arg0(…)` is the program's name for itself |
/// | `umask`, `extra_groups`, `preexec_fn` | `as_std_mut().pre_exec(…)`, which is unsafe as there |
/// | `creationflags` | `as_std_mut().creation_flags(…)`, of Windows |
/// | `shell=True` | [`shell`](Self::shell) |
pub struct Command {
    command: std::process::Command,
    stdin: Redirect,
    stdout: Redirect,
    stderr: Stderr,
    on_drop: OnDrop,
    group: Group,
    session: bool,
    /// What is passed on, and must be open when it starts.
    #[cfg(unix)]
    passed: Vec<OwnedOpen>,
}

impl From<std::process::Command> for Command {
    /// With all that was set there, but the standard streams.
    fn from(command: std::process::Command) -> Command {
        Command {
            command,
            stdin: Redirect::Inherit,
            stdout: Redirect::Inherit,
            stderr: Stderr::To(Redirect::Inherit),
            on_drop: OnDrop::Leave,
            group: Group::Unknown,
            session: false,
            #[cfg(unix)]
            passed: Vec::new(),
        }
    }
}

impl Command {
    /// `program`, which is looked for in `PATH` unless it is a path.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        std::process::Command::new(program).into()
    }

    /// A script for the shell: `/bin/sh`, on Windows `cmd`.
    ///
    /// What comes from elsewhere has no place in it: a shell takes it for
    /// commands. Give it as an argument, which the script of a `/bin/sh` finds in `"$0"`, `"$1"` …
    pub fn shell(script: impl AsRef<OsStr>) -> Command {
        system::shell(script.as_ref()).into()
    }

    /// Has all three standard streams be pipes.
    ///
    /// asyncio: the default of `loop.subprocess_exec()`.
    pub fn pipes(&mut self) -> &mut Command {
        self.stdin(Redirect::Pipe).stdout(Redirect::Pipe).stderr(Redirect::Pipe)
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Command {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Command {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Command {
        self.command.env(name, value);
        self
    }

    /// Sets variables of its environment. asyncio's `env`, which sets all of
    /// them, is [`env_clear`](Self::env_clear) and this.
    pub fn envs(
        &mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> &mut Command {
        self.command.envs(variables);
        self
    }

    /// Has it not inherit a variable of our environment, nor one that was set before.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Command {
        self.command.env_remove(name);
        self
    }

    /// Has it inherit nothing of our environment, and forgets what was set before.
    pub fn env_clear(&mut self) -> &mut Command {
        self.command.env_clear();
        self
    }

    /// Has it begin in `directory`. asyncio: `cwd`.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Command {
        self.command.current_dir(directory);
        self
    }

    /// Where its standard input comes from.
    pub fn stdin(&mut self, from: Redirect) -> &mut Command {
        self.stdin = from;
        self
    }

    /// Where its standard output goes.
    pub fn stdout(&mut self, to: Redirect) -> &mut Command {
        self.stdout = to;
        self
    }

    /// Where its standard error goes.
    pub fn stderr(&mut self, to: Redirect) -> &mut Command {
        self.stderr = Stderr::To(to);
        self
    }

    /// Has its standard error go where its standard output goes, in the order
    /// of writing. asyncio: `stderr=STDOUT`.
    pub fn stderr_to_stdout(&mut self) -> &mut Command {
        self.stderr = Stderr::Stdout;
        self
    }

    /// What happens when its [`Process`] is dropped before it has ended.
    pub fn on_drop(&mut self, on_drop: OnDrop) -> &mut Command {
        self.on_drop = on_drop;
        self
    }

    /// Has it lead a process group of its own, with those whom it starts: what a
    /// terminal sends its programs, such as Ctrl-C, they are not sent, and
    /// [`Process::signal_group`] reaches all of them.
    ///
    /// asyncio: `process_group=0`, on Windows `CREATE_NEW_PROCESS_GROUP`, which
    /// replaces other creation flags. To join a group that is there:
    /// `as_std_mut().process_group(number)`.
    pub fn process_group(&mut self) -> &mut Command {
        system::lead_group(&mut self.command);
        self.leads(Group::Led)
    }

    /// Has it lead a session of its own, and that session's first process group:
    /// it has no terminal, so not even what goes on when ours is closed concerns it.
    ///
    /// It is started by a fork then, which takes longer the more memory this
    /// process has. On Windows it is not started: [`SpawnRefused::Os`], of the
    /// kind `Unsupported`.
    ///
    /// asyncio: `start_new_session=True`.
    pub fn start_new_session(&mut self) -> &mut Command {
        if !self.session {
            system::lead_session(&mut self.command);
        }
        self.session = true;
        self.leads(Group::Led)
    }

    /// Has it lead a [group](Self::process_group), of which nothing is left when it
    /// has ended: those whom it has started, and who have not gone to another
    /// group, are killed when the loop notices its end, and when it is killed because
    /// it was [dropped](Self::on_drop). (If its loop is closed before, its end is noticed
    /// when another child is started.) A child that starts others and ends without
    /// them, as daemons do, ends them so.
    ///
    /// On Windows it is not started: [`SpawnRefused::Os`], of the kind `Unsupported`.
    ///
    /// systemd: `KillMode=control-group`, as far as groups go. asyncio: by hand,
    /// with `os.killpg()`.
    pub fn end_group_with_it(&mut self) -> &mut Command {
        if self.group == Group::Unknown {
            self.process_group();
        }
        self.leads(Group::EndsWithLeader)
    }

    fn leads(&mut self, group: Group) -> &mut Command {
        if self.group != Group::EndsWithLeader {
            self.group = group;
        }
        self
    }

    /// Has it inherit `descriptor`, by the number that it has here.
    ///
    /// The descriptor is the command's from now on, and open for as long as the
    /// command is there. The program is started by a fork then, which takes longer
    /// the more memory this process has.
    ///
    #[cfg_attr(unix, doc = "```")]
    #[cfg_attr(not(unix), doc = "```ignore")]
    /// use molen_std::subprocess::{Command, create_subprocess_exec};
    /// use std::io::{Read, pipe};
    /// use std::os::fd::AsRawFd;
    ///
    /// let event_loop = molen_std::new_event_loop()?;
    /// let (mut reader, writer) = pipe()?;
    /// event_loop.run_until_complete(async {
    ///     let mut command = Command::shell("echo from the child >&$0");
    ///     command.arg(writer.as_raw_fd().to_string()).pass_fd(writer);
    ///     create_subprocess_exec(&mut command).await?.wait().await?;
    ///     Ok::<_, Box<dyn std::error::Error>>(())
    /// })??;
    /// let mut said = String::new();
    /// reader.read_to_string(&mut said)?;
    /// assert_eq!(said, "from the child\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// asyncio: `pass_fds`. There is no such thing on Windows.
    #[cfg(unix)]
    pub fn pass_fd(&mut self, descriptor: impl Into<OwnedOpen>) -> &mut Command {
        let descriptor = descriptor.into();
        system::inherit(&mut self.command, crate::pipe::handle::number(&descriptor));
        self.passed.push(descriptor);
        self
    }

    /// The rest of what can be set. What is set there for the standard streams
    /// is overwritten.
    pub fn as_std_mut(&mut self) -> &mut std::process::Command {
        &mut self.command
    }

    /// Starts it: the child's end to wait for, and its pipes.
    pub(super) fn start(&mut self) -> Result<Started, SpawnRefused> {
        StdSelector::running("starting a process").map_err(SpawnRefused::Loop)?;
        if let Some(lacking) = system::lacks(self.group, self.session) {
            return Err(SpawnRefused::Os(lacking));
        }
        let (child, ours) = self.spawn().map_err(SpawnRefused::Os)?;
        // From here on an error, which drops it, ends the child again.
        let exit = Exit::of(child, self.group)?;
        let Ours { stdin, stdout, stderr } = ours;
        let pipes = ChildPipes {
            stdin: stdin.map(WritePipe::of_child).transpose().map_err(SpawnRefused::Pipe)?,
            stdout: stdout.map(ReadPipe::of_child).transpose().map_err(SpawnRefused::Pipe)?,
            stderr: stderr.map(ReadPipe::of_child).transpose().map_err(SpawnRefused::Pipe)?,
        };
        exit.set_on_drop(self.on_drop);
        Ok((exit, pipes))
    }

    /// The child, and our ends of its pipes.
    fn spawn(&mut self) -> io::Result<(Child, Ours)> {
        let (theirs, stdin) = self.stdin.open(Direction::Out)?;
        self.command.stdin(theirs);
        let (theirs, stdout, stderr) = match &self.stderr {
            Stderr::To(to) => {
                let (theirs, stdout) = self.stdout.open(Direction::In)?;
                self.command.stdout(theirs);
                let (theirs, stderr) = to.open(Direction::In)?;
                (theirs, stdout, stderr)
            }
            Stderr::Stdout => {
                let (first, second, stdout) = self.stdout.open_for_both()?;
                self.command.stdout(first);
                (second, stdout, None)
            }
        };
        let child = self.command.stderr(theirs).spawn();
        // It keeps what it was given, and the other end would never be told of
        // the end.
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok((child?, Ours { stdin, stdout, stderr }))
    }

    /// `cause`, with what was to be started.
    pub(super) fn refused(&self, cause: SpawnRefused) -> SpawnError {
        let cause = match cause {
            // What a full table of descriptors looks like from here.
            SpawnRefused::Loop(SourceError::Os(code)) => {
                SpawnRefused::Os(io::Error::from_raw_os_error(code))
            }
            cause => cause,
        };
        SpawnError { program: self.command.get_program().to_owned(), cause }
    }
}

/// A child that runs.
pub(super) type Started = (Rc<Exit>, ChildPipes<WritePipe, ReadPipe>);

/// Our ends of a child's pipes.
struct Ours {
    stdin: Option<OwnedOpen>,
    stdout: Option<OwnedOpen>,
    stderr: Option<OwnedOpen>,
}

impl Redirect {
    /// What the child gets, and our end if it is a pipe, in whose `direction`.
    fn open(&self, direction: Direction) -> io::Result<(Stdio, Option<OwnedOpen>)> {
        Ok(match self {
            Redirect::Inherit => (Stdio::inherit(), None),
            Redirect::Null => (Stdio::null(), None),
            Redirect::Pipe => {
                let (ours, theirs) = crate::pipe::system::pair(direction)?;
                (theirs.into(), Some(ours))
            }
            Redirect::Descriptor(descriptor) => (duplicate(descriptor)?.into(), None),
        })
    }

    /// What the child gets for both its outputs, and our end if it is a pipe.
    fn open_for_both(&self) -> io::Result<(Stdio, Stdio, Option<OwnedOpen>)> {
        Ok(match self {
            Redirect::Inherit => (Stdio::inherit(), duplicate(&io::stdout())?.into(), None),
            Redirect::Pipe => {
                let (ours, theirs) = crate::pipe::system::pair(Direction::In)?;
                (duplicate(&theirs)?.into(), theirs.into(), Some(ours))
            }
            to => (to.open(Direction::In)?.0, to.open(Direction::In)?.0, None),
        })
    }
}

impl core::fmt::Debug for Command {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.command.fmt(f)
    }
}

/// Starts a program, as a child of the running loop's process.
///
/// The same command can be started again.
///
/// asyncio: `create_subprocess_exec()`.
///
/// # Errors
///
/// [`SpawnError`]: there is no such program, no loop of this crate runs, or the
/// system has no processes or descriptors left. Nothing is left behind.
///
/// # Cancellation
///
/// It is started in one step: a task that is cancelled before has started
/// nothing, and after that it has the [`Process`], whose dropping does as
/// [`Command::on_drop`] says. What asyncio does to a child whose creation was
/// cancelled, it does with [`OnDrop::Kill`].
pub async fn create_subprocess_exec(command: &mut Command) -> Result<Process, SpawnError> {
    match command.start() {
        Ok((exit, pipes)) => Ok(Process::of(exit, pipes)),
        Err(cause) => Err(command.refused(cause)),
    }
}

/// Has the shell run `script`, with our standard streams. With pipes, and whatever
/// else [`Command`] has, it is [`create_subprocess_exec`] of [`Command::shell`]:
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::subprocess::{Command, Redirect, create_subprocess_exec};
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let mut script = Command::shell("echo out; echo err >&2; exit 3");
///     script.stdout(Redirect::Pipe).stderr(Redirect::Pipe);
///     let mut process = create_subprocess_exec(&mut script).await?;
///     let output = process.communicate(None).await?;
///     assert_eq!(process.returncode(), Some(3));
///     assert_eq!(output.stdout.as_deref(), Some(&b"out\n"[..]));
///     assert_eq!(output.stderr.as_deref(), Some(&b"err\n"[..]));
///     Ok::<_, std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `create_subprocess_shell()`.
///
/// # Errors
///
/// As [`create_subprocess_exec`].
///
/// # Cancellation
///
/// As [`create_subprocess_exec`].
pub async fn create_subprocess_shell(script: impl AsRef<OsStr>) -> Result<Process, SpawnError> {
    create_subprocess_exec(&mut Command::shell(script)).await
}
