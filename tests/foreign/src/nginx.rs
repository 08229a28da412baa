//! nginx, with a configuration of a test's own.

use crate::{Running, program};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Starts nginx as one process that keeps all its files in `folder`, and waits until it listens on
/// `port` of this machine. `servers` is what stands in the block `http`.
///
/// # Panics
///
/// When there is no nginx, or it does not listen.
#[track_caller]
pub fn start(folder: &Path, port: u16, servers: &str) -> Running {
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {}/{what};\n", folder.display()))
        .collect();
    let text = format!(
        "daemon off; master_process off; worker_processes 1; pid {}/nginx.pid;\n\
         error_log stderr; events {{ worker_connections 512; }}\n\
         http {{ access_log off; {paths} {servers} }}\n",
        folder.display()
    );
    let configuration = folder.join("nginx.conf");
    let written = fs::write(&configuration, text);
    written.unwrap_or_else(|error| panic!("{}: {error}", configuration.display()));
    let mut command = program("nginx");
    command.arg("-c").arg(&configuration).args(["-e", "stderr", "-p"]).arg(folder);
    let mut nginx = Running::start(command);
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if !nginx.runs() || Instant::now() > until {
            nginx.fail("it does not listen");
        }
        thread::sleep(Duration::from_millis(10));
    }
    nginx
}
