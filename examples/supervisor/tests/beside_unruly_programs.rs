//! The supervisor with programs that do not behave.
#![cfg(unix)]

use molen_foreign::{Running, program};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A supervisor whose file can be changed.
struct Supervisor {
    running: Running,
    directory: TempDir,
}

impl Supervisor {
    fn start(config: &str) -> Supervisor {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.toml");
        fs::write(&file, config).expect("the file can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.arg(file).arg("--control").arg(directory.path().join("control"));
        Supervisor { running: Running::start(command), directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("config.toml")
    }

    fn reload(&mut self, config: &str) {
        fs::write(self.file(), config).expect("the file can be written");
        self.running.signal("HUP");
    }

    /// Asks it, by its own program.
    fn ask(&self, request: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.arg("--control").arg(self.directory.path().join("control"));
        let output = command.args(["--ask", request]).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What it says about itself, and nothing of its programs, without numbers of processes.
    fn news(&self) -> Vec<String> {
        let lines = self.running.lines();
        let own = lines.iter().filter_map(|line| line.strip_prefix("supervisor| "));
        own.map(|line| line.split(", process").next().unwrap_or(line).to_owned()).collect()
    }

    /// The process of a program that is started now.
    fn pid_of(&mut self, name: &str) -> u32 {
        let line = self.running.hear(&format!("{name} is started, process "));
        line.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a number")
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self) -> Vec<String> {
        self.running.signal("TERM");
        self.running.end_well();
        self.news()
    }
}

/// Whether a process runs: a zombie does not.
fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.starts_with(" Z")))
}

/// A TOML string of one line.
fn python(script: &str) -> String {
    format!("command = [\"python3\", \"-u\", \"-c\", '''{script}''']")
}

#[test]
fn they_start_in_order_and_stop_in_reverse() {
    let mut supervisor = Supervisor::start(
        "
[[program]]
name = 'web'
shell = 'echo serving; exec sleep 1000'
after = ['db', 'migration']
[[program]]
name = 'db'
shell = 'echo ready >&2; exec sleep 1000'
ready_after = 0.3
[[program]]
name = 'migration'
shell = 'printf migrated'
restart = 'never'
after = ['db']
",
    );
    supervisor.running.hear("db| ready");
    supervisor.running.hear("migration| migrated");
    supervisor.running.hear("web| serving");
    assert_eq!(
        supervisor.stop(),
        [
            "db is started",
            "migration is started",
            "migration has finished",
            "web is started",
            "web is stopped: it was ended by SIGTERM",
            "db is stopped: it was ended by SIGTERM",
            "all is over",
        ]
    );
}

#[test]
fn who_ignores_the_signal_is_killed_and_so_is_what_it_left_behind() {
    let deaf = python(
        "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    print('grandchild', os.getpid())
time.sleep(1000)
",
    );
    let mut supervisor = Supervisor::start(&format!(
        "
[[program]]
name = 'deaf'
stop_within = 0.3
{deaf}
[[program]]
name = 'father'
shell = 'sleep 1000 & echo child $!; exit 0'
restart = 'never'
[[program]]
name = 'stranger'
shell = 'setsid sleep 3 & echo away'
restart = 'never'
"
    ));
    let begin = Instant::now();
    supervisor.running.hear_anywhere("stranger has finished");
    // Its pipe is still held; nobody waits for that.
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    let grandchild = supervisor.running.hear_anywhere("deaf| grandchild ");
    let number = |line: &str| line.rsplit(' ').next().and_then(|pid| pid.parse().ok());
    let left = number(&supervisor.running.hear_anywhere("father| child ")).expect("a number");
    let deadline = Instant::now() + Duration::from_secs(10);
    while runs(left) {
        assert!(Instant::now() < deadline, "the father's child runs on");
        std::thread::sleep(Duration::from_millis(10));
    }
    let news = supervisor.stop();
    assert!(news.contains(&"deaf does not stop on SIGTERM: it is killed".to_owned()), "{news:?}");
    assert!(!runs(number(&grandchild).expect("a number")), "the grandchild runs on");
}

#[test]
fn a_crash_loop_is_slowed_down_and_given_up() {
    let mut supervisor = Supervisor::start(
        "
[[program]]
name = 'crash'
shell = 'kill -SEGV $$'
first_delay = 0.1
longest_delay = 5
restarts = 3
[[program]]
name = 'none'
command = ['/there/is/no/such/program']
restarts = 0
[[program]]
name = 'never'
shell = 'echo this is not said'
after = ['crash']
",
    );
    supervisor.running.hear("never");
    let status = supervisor.running.end();
    assert_eq!(status.code(), Some(1), "a program has failed");
    let news = supervisor.news();
    let of = |name: &str| -> Vec<String> {
        let own = news.iter().filter_map(|line| line.strip_prefix(name));
        own.map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(
        of("crash"),
        [
            "is started",
            "was ended by SIGSEGV; it is restarted in 0.1 s",
            "is started",
            "was ended by SIGSEGV; it is restarted in 0.2 s",
            "is started",
            "was ended by SIGSEGV; it is restarted in 0.4 s",
            "is started",
            "has failed: was ended by SIGSEGV, too often",
        ]
    );
    let none = of("none");
    assert!(none[0].contains("/there/is/no/such/program"), "{none:?}");
}

#[test]
fn floods_are_whole_lines_and_hold_up_nobody() {
    let flood = python("for number in range(200000): print('flood', number)");
    let mut supervisor = Supervisor::start(&format!(
        "
[[program]]
name = 'flood'
restart = 'never'
{flood}
[[program]]
name = 'yes'
shell = 'yes yes | head -n 300000; sleep 1000'
[[program]]
name = 'long'
shell = 'head -c 100000 /dev/zero | tr \"\\\\000\" x'
restart = 'never'
"
    ));
    supervisor.running.hear("flood| flood 199999");
    supervisor.running.hear_anywhere("flood has finished");
    supervisor.running.hear_anywhere("long has finished");
    supervisor.running.signal("TERM");
    supervisor.running.end_well();
    let lines = supervisor.running.lines();
    let mut next = 0;
    let mut long = 0;
    for line in &lines {
        match line.split_once("| ") {
            Some(("flood", line)) => {
                assert_eq!(line, format!("flood {next}"));
                next += 1;
            }
            Some(("yes", line)) => assert_eq!(line, "yes"),
            Some(("long", line)) => {
                assert!(line.bytes().all(|byte| byte == b'x'), "{line:?}");
                long += line.len();
            }
            Some(("supervisor", _)) => {}
            other => panic!("nobody says {other:?}"),
        }
    }
    assert_eq!((next, long), (200_000, 100_000));
}

#[test]
fn it_obeys_when_nobody_reads_what_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("config.toml");
    fs::write(&file, "stop_within = 1\n[[program]]\nname = 'yes'\nshell = 'exec yes'\n")
        .expect("the file can be written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_supervisor"))
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Longer than it takes to fill all pipes.
    std::thread::sleep(Duration::from_millis(700));
    let begin = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|kill| kill.success()));
    let status = child.wait().expect("it can be waited for");
    assert!(status.success(), "{status}");
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[test]
fn a_reload_stops_and_starts_what_has_changed() {
    let program = |name: &str, text: &str| {
        format!("[[program]]\nname = '{name}'\nshell = 'echo {text}; exec sleep 1000'\n")
    };
    let before = [program("same", "one"), program("other", "one"), program("gone", "one")].concat();
    let mut supervisor = Supervisor::start(&before);
    supervisor.running.hear("gone| one");
    supervisor.reload("[[program]]\nname = 'half'\n");
    supervisor.running.hear("not reloaded: ");
    let after = [program("same", "one"), program("other", "two"), program("new", "one")].concat();
    supervisor.reload(&after);
    supervisor.running.hear("gone is stopped");
    supervisor.running.hear("other is stopped");
    supervisor.running.hear("new| one");
    supervisor.running.signal("USR1");
    let status = [
        supervisor.running.hear("same: "),
        supervisor.running.hear("other: "),
        supervisor.running.hear("new: "),
    ];
    for line in status {
        assert!(line.contains(": running for ") && line.contains(" s, process "), "{line}");
        assert!(line.ends_with(", restarts 0"), "{line}");
    }
    let lines = supervisor.running.lines();
    let count = |text: &str| lines.iter().filter(|line| *line == text).count();
    assert_eq!((count("same| one"), count("other| one"), count("other| two")), (1, 1, 1));
    supervisor.stop();
}

#[test]
fn it_is_asked_over_a_socket() {
    let mut supervisor = Supervisor::start(
        "
[[program]]
name = 'one'
shell = 'exec sleep 1000'
[[program]]
name = 'two'
shell = 'exec sleep 1000'
",
    );
    let first = supervisor.pid_of("one");
    supervisor.pid_of("two");
    let mut nc = program("nc");
    nc.arg("-U").arg(supervisor.directory.path().join("control"));
    let mut nc = Running::start(nc);
    nc.say("status");
    nc.hear("one: running for ");
    nc.hear("two: running for ");
    nc.say("stop one");
    nc.hear("one: stopped, restarts 0");
    nc.say("stop three");
    nc.hear("there is no program three");
    nc.say(&"x".repeat(5000));
    assert!(supervisor.ask("status").starts_with("one: stopped"));
    // With everything stopped by hand it waits.
    assert!(supervisor.ask("stop two").starts_with("two: stopped"));
    assert!(supervisor.ask("start one").starts_with("one: "));
    let second = supervisor.pid_of("one");
    assert_ne!(first, second);
    supervisor.ask("restart one");
    assert_ne!(supervisor.pid_of("one"), second);
    assert!(supervisor.ask("fly").starts_with("ask for status, "));
    supervisor.ask("reload");
    supervisor.running.hear("reloaded");
    assert!(supervisor.ask("status").contains("two: stopped"), "a reload leaves it so");
    supervisor.running.signal("TERM");
    supervisor.running.end_well();
    let socket = supervisor.directory.path().join("control");
    assert!(!socket.exists(), "the socket is left behind");
}

#[test]
fn who_is_killed_is_restarted_and_reaped() {
    let mut supervisor = Supervisor::start(
        "
[[program]]
name = 'worker'
shell = 'exec sleep 1000'
first_delay = 0.05
",
    );
    let first = supervisor.pid_of("worker");
    assert!(Command::new("kill").args(["-9", &first.to_string()]).status().is_ok());
    let second = supervisor.pid_of("worker");
    assert_ne!(first, second);
    assert!(!PathBuf::from(format!("/proc/{first}")).exists(), "it was not reaped");
    supervisor.stop();
}

#[test]
fn all_together_have_so_much_time_and_a_second_signal_gives_none() {
    let deaf = |name: &str| {
        let script = "import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf')
time.sleep(1000)";
        format!("[[program]]\nname = '{name}'\nstop_within = 100\n{}\n", python(script))
    };
    let config = format!("stop_within = 0.5\n{}{}{}", deaf("a"), deaf("b"), deaf("c"));
    let mut supervisor = Supervisor::start(&config);
    for _ in 0..3 {
        supervisor.running.hear("| deaf");
    }
    let begin = Instant::now();
    let news = supervisor.stop();
    let took = begin.elapsed().as_secs_f64();
    assert!((0.5..5.0).contains(&took), "{took}");
    assert!(news.contains(&"the time to stop is over".to_owned()), "{news:?}");

    let mut supervisor = Supervisor::start(&deaf("a"));
    supervisor.running.hear("| deaf");
    let begin = Instant::now();
    supervisor.running.signal("INT");
    supervisor.running.not_hear("a does not stop", Duration::from_millis(300));
    supervisor.stop();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn a_file_that_makes_no_sense_is_refused() {
    let mut supervisor =
        Supervisor::start("[[program]]\nname = 'a'\nshell = 'true'\nafter = ['b']");
    assert_eq!(supervisor.running.end().code(), Some(2));
    supervisor.running.hear("config.toml: a is after b, which is not there");
}
