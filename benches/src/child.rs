//! One sample: this program started again as one process, or as two.

use crate::client::{ANSWERED, Target, parse_target};
use crate::load::Until;
use crate::peer::Column;
use crate::row::Row;
use crate::sample::{Reading, readings};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;
use wait_timeout::ChildExt;

/// No row takes half as long on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs one row with one column and returns what it printed.
pub fn sample(column: &Column, row: Row) -> Result<Vec<Reading>> {
    match row.load() {
        None => {
            let mut command = this_program()?;
            command.args(["sample", column.name, &row.name()]);
            Ok(readings(&output(command)?))
        }
        Some(load) => match load.until {
            Until::Millis(_) | Until::Done => {
                let mut command = this_program()?;
                command.args(["serve", column.name, &row.name()]);
                let server = Server::start(command)?;
                let mut said = server.load(row, 1.0)?;
                said.extend(server.end()?);
                Ok(said)
            }
            Until::Requests(_) => calls(column, row),
        },
    }
}

fn this_program() -> Result<Command> {
    Ok(Command::new(std::env::current_exe().context("find this program")?))
}

/// Runs a command to its end and returns its standard output.
fn output(mut command: Command) -> Result<String> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {command:?}"))?;
    finish(child)
}

/// Waits for a child whose output fits a pipe; kills it when it takes too long.
fn finish(mut child: Child) -> Result<String> {
    let status = child.wait_timeout(LIMIT).context("wait for a child")?;
    if status.is_none() {
        child.kill().context("kill a child")?;
        child.wait().context("wait for a killed child")?;
    }
    let (mut out, mut err) = (String::new(), String::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut out).context("read from a child")?;
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut err).context("read from a child")?;
    }
    match status {
        Some(status) if status.success() => Ok(out),
        Some(status) => bail!("{status}: {}", last_line(&err)),
        None => bail!("not done after {} s", LIMIT.as_secs()),
    }
}

fn last_line(text: &str) -> &str {
    text.lines()
        .rfind(|line| !line.trim().is_empty() && !line.starts_with("note:"))
        .unwrap_or("it said nothing")
}

/// A running echo server; ends when its standard input is closed.
struct Server {
    child: Child,
    target: Target,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().context("no pipe to the server")?);
        output.read_line(&mut line).context("read the server's port")?;
        match parse_target(&line) {
            Ok(target) => Ok(Server { child, target, output }),
            Err(error) => {
                drop(child.stdin.take());
                Err(finish(child).err().unwrap_or(error))
            }
        }
    }

    /// Runs the client of `row`, or that share of it, against this server.
    fn load(&self, row: Row, share: f64) -> Result<Vec<Reading>> {
        let mut command = this_program()?;
        let (port, pid) = (self.target.port.to_string(), self.target.pid.to_string());
        command.args(["client", &row.name(), &port, &pid, &share.to_string()]);
        Ok(readings(&output(command).context("client")?))
    }

    /// Ends the server, which may have something to say then.
    fn end(mut self) -> Result<Vec<Reading>> {
        drop(self.child.stdin.take());
        if self.child.wait_timeout(LIMIT).context("end the server")?.is_none() {
            bail!("the server did not end within {} s", LIMIT.as_secs());
        }
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).context("read what the server says")?;
        Ok(readings(&rest))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both are errors only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether `strace` can be run here.
pub fn has_strace() -> bool {
    let mut command = Command::new("strace");
    command.arg("-V");
    output(command).is_ok()
}

/// System calls of the server per request: what a long run has more than a
/// short one, so that starting, connecting and ending do not count.
fn calls(column: &Column, row: Row) -> Result<Vec<Reading>> {
    let short = traced(column, row, 0.1)?;
    let long = traced(column, row, 1.0)?;
    let requests = (long.answered - short.answered).max(1.0);
    let mut each: Vec<(String, f64)> = long
        .counts
        .iter()
        .map(|(name, count)| {
            let before = short.counts.get(name).copied().unwrap_or(0);
            (name.clone(), (*count as f64 - before as f64) / requests)
        })
        .collect();
    each.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let total = each.iter().map(|(_, each)| each).sum();
    let detail: Vec<String> = each
        .iter()
        .filter(|(_, each)| *each >= 0.005)
        .map(|(name, each)| format!("{name} {each:.2}"))
        .collect();
    Ok(vec![Reading { detail: Some(detail.join(", ")), ..Reading::new(row.name(), total) }])
}

/// What one traced run came to.
struct Traced {
    answered: f64,
    counts: BTreeMap<String, u64>,
}

fn traced(column: &Column, row: Row, share: f64) -> Result<Traced> {
    let summary = NamedTempFile::new().context("make a file for strace")?;
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(summary.path());
    command.arg(std::env::current_exe().context("find this program")?).args([
        "serve",
        column.name,
        &row.name(),
    ]);
    let server = Server::start(command)?;
    let said = server.load(row, share)?;
    server.end()?;
    let Some(answered) = said.iter().find(|r| r.figure == ANSWERED) else {
        bail!("the client did not say how many requests were answered");
    };
    let text = std::fs::read_to_string(summary.path()).context("read strace's summary")?;
    let counts = counted(&text);
    if counts.is_empty() {
        bail!("strace counted nothing");
    }
    Ok(Traced { answered: answered.value, counts })
}

/// The calls in a summary of `strace -c`: share, seconds, µs each, calls,
/// errors if any, name.
fn counted(summary: &str) -> BTreeMap<String, u64> {
    summary
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let name = *fields.last()?;
            fields.first()?.parse::<f64>().ok()?;
            let count = fields.get(3)?.parse().ok()?;
            (name != "total").then(|| (name.to_owned(), count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn strace_summary_is_read() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.006000           3      2000           epoll_wait
 40.00    0.004000           2      2001         1 read
------ ----------- ----------- --------- --------- ----------------
100.00    0.010000           2      4001         1 total
";
        let expected = [("epoll_wait".to_owned(), 2000), ("read".to_owned(), 2001)];
        assert_eq!(counted(summary), expected.into());
    }
}
