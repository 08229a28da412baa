//! Molen's own WASI 0.2 components, end to end under the wasmtime CLI.

mod modules;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const TARGET: &str = "wasm32-wasip2";

/// wasmtime running the component of `package`; `$WASMTIME` names another one.
fn wasmtime(package: &str, flags: &[&str]) -> Command {
    let wasmtime = std::env::var_os("WASMTIME").unwrap_or_else(|| "wasmtime".into());
    let mut command = Command::new(wasmtime);
    command.arg("run").args(flags).arg(modules::build(package, TARGET));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn spawn(mut command: Command) -> Child {
    command.spawn().unwrap_or_else(|error| {
        panic!(
            "cannot run {}: {error}; `cargo xtask setup` installs wasmtime, and WASMTIME can name one",
            command.get_program().display()
        )
    })
}

/// Gives `input` to the component and waits for its end.
fn run(command: Command, input: &str) -> Output {
    let mut command = command;
    command.stdin(Stdio::piped());
    let mut child = spawn(command);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running echo component; it is ended with this.
struct Server {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start() -> Server {
        let mut child = spawn(wasmtime("echo", &["-S", "inherit-network"]));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|it| it.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the server said {line:?}"));
        Server { child, _stdout: stdout, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then the test has failed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_component_waits_for_a_timer() {
    let start = Instant::now();
    let output = run(wasmtime("hello-timer", &[]), "");
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("hello\n", Some(0)));
    assert!(start.elapsed() >= Duration::from_millis(10));
}

#[test]
fn a_thousand_timers_end() {
    // 200 pollables in one list make other loops spin for ever under 48.
    let output = run(wasmtime("many-timers", &[]), "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let took = text(&output.stdout).split(' ').next().and_then(|it| it.parse::<u64>().ok());
    let took = took.unwrap_or_else(|| panic!("it said {:?}", text(&output.stdout)));
    // The bar is 12 ms; what else this machine does is not the loop's.
    assert!((10_000..100_000).contains(&took), "{took} us");
}

#[test]
fn standard_input_is_copied_to_its_end() {
    let output = run(wasmtime("stdio-echo", &[]), "hello\nworld\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).replace('.', ""), "hello\nworld\nend\n");
    let empty = wasmtime("stdio-echo", &[]).output().unwrap();
    assert_eq!((text(&empty.stdout).as_str(), empty.status.code()), ("end\n", Some(0)));
}

#[test]
fn the_timer_goes_on_while_standard_input_is_silent() {
    let mut command = wasmtime("stdio-echo", &[]);
    command.stdin(Stdio::piped());
    let mut child = spawn(command);
    let mut dots = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut dots).unwrap();
    assert_eq!(&dots, b".....");
    drop(child.stdin.take());
    assert!(text(&child.wait_with_output().unwrap().stdout).ends_with("end\n"));
}

#[test]
fn tcp_is_echoed_to_the_last_byte() {
    let server = Server::start();
    let mut stream = server.connect();
    stream.write_all(b"hello").unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");
    // More than the component, the host and the kernel buffer together.
    let sent = (0..4 << 20).map(|number: u32| ((number * 31) >> 7) as u8).collect::<Vec<_>>();
    let mut reader = stream.try_clone().unwrap();
    let received = std::thread::spawn(move || {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).map(|_| received)
    });
    stream.write_all(&sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let received = received.join().unwrap().unwrap();
    assert_eq!(received.len(), sent.len());
    assert!(received == sent, "the bytes are not those that were sent");
}

#[test]
fn two_hundred_connections_that_are_ready_at_once_are_all_served() {
    let server = Server::start();
    let mut streams = (0..200).map(|_| server.connect()).collect::<Vec<_>>();
    for round in 0..3 {
        for (number, stream) in streams.iter_mut().enumerate() {
            writeln!(stream, "{round} {number:04}").unwrap();
        }
        for (number, stream) in streams.iter_mut().enumerate() {
            let mut back = [0; 7];
            stream.read_exact(&mut back).unwrap();
            assert_eq!(text(&back), format!("{round} {number:04}\n"));
        }
    }
}

#[test]
fn clients_that_vanish_do_not_end_the_server() {
    let server = Server::start();
    for _ in 0..300 {
        let mut stream = server.connect();
        stream.write_all(b"half a li").unwrap();
    }
    let mut stream = server.connect();
    stream.write_all(b"x").unwrap();
    let mut back = [0];
    stream.read_exact(&mut back).unwrap();
}

#[test]
fn a_component_connects_sends_and_reads_to_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        // Ends when the component shuts its side down.
        stream.read_to_string(&mut request).unwrap();
        write!(stream, "you said: {request}").unwrap();
    });
    let output = run(wasmtime("client", &["-S", "inherit-network"]), &format!("{port}\n"));
    server.join().unwrap();
    assert_eq!(text(&output.stdout), "you said: hello from a component\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_connection_dropped_with_bytes_on_their_way_does_not_stop_the_loop() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (read_now, told_to_read) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        told_to_read.recv_timeout(Duration::from_secs(20)).expect("the component stands still");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        received.len()
    });
    let mut command = wasmtime("client", &["-S", "inherit-network"]);
    command.stdin(Stdio::piped());
    let mut child = spawn(command);
    write!(child.stdin.take().unwrap(), "{port}*").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // An assertion of the server's fails where nothing was said before this.
    let _ = read_now.send(());
    let written = line.trim().strip_prefix("wrote ").and_then(|it| it.parse::<usize>().ok());
    let received = server.join().unwrap();
    assert_eq!(written, Some(received), "it said {line:?}");
    assert!(received > 1 << 16, "too little to fill a buffer: {received}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_refused_connection_is_an_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = run(wasmtime("client", &["-S", "inherit-network"]), &format!("{port}\n"));
    let expected = format!("cannot connect to 127.0.0.1:{port}: the connection was refused\n");
    assert_eq!((text(&output.stdout), output.status.code()), (expected, Some(0)));
}

#[test]
fn without_the_flag_the_error_says_which_one_is_missing() {
    let client = run(wasmtime("client", &[]), "80\n");
    let said = text(&client.stdout);
    assert!(said.starts_with("cannot connect to 127.0.0.1:80: "), "{said}");
    assert!(said.contains("-S inherit-network"), "{said}");
    let server = run(wasmtime("echo", &[]), "");
    let said = text(&server.stdout);
    assert!(said.starts_with("cannot listen: ") && said.contains("-S inherit-network"), "{said}");
    assert_eq!(server.status.code(), Some(1));
    // TCP, but no address may be used.
    let server = run(wasmtime("echo", &["-S", "tcp"]), "");
    assert!(text(&server.stdout).contains("-S inherit-network"), "{}", text(&server.stdout));
}
