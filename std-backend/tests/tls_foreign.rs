//! TLS with those who speak it too: OpenSSL's programs, and Python's ssl and asyncio.
//!
//! They have to be installed: on Debian, `apt-get install openssl python3`.
#![cfg(all(target_os = "linux", feature = "tls-ring"))]

mod local;

use local::{ANY_PORT, run};
use molen_core::io::source::SourceError;
use molen_core::net::ConnectionError;
use molen_core::{Duration, sleep, to_thread};
use molen_std::net::{
    DEFAULT_LIMIT, ExtraInfo, ExtraValue, Server, Start, StreamReader, StreamWriter, TcpListener,
    TcpStream, open_streams, start_stream_server,
};
use molen_std::tls::{
    ClientContext, ServerContext, Timeouts, TlsError, TlsInfo, open_tls_streams,
    start_tls_stream_server,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;

const NAME: &str = "localhost";
const INSTALL: &str = "is not installed (on Debian: apt-get install openssl python3)";

/// A folder with certificates, which goes with this.
struct Folder {
    path: PathBuf,
    root: String,
    certificate: String,
    key: String,
}

impl Folder {
    fn new(test: &str) -> Folder {
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.distinguished_name.push(DnType::CommonName, "Authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, NAME);
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        let key = key.serialize_pem();
        let path = std::env::temp_dir().join(format!("molen-tls-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (name, text) in
            [("root.pem", &root), ("server.pem", &certificate), ("server.key", &key)]
        {
            std::fs::write(path.join(name), text).unwrap();
        }
        Folder { path, root, certificate, key }
    }

    fn client(&self) -> ClientContext {
        ClientContext::with_roots_pem(&self.root).unwrap()
    }

    fn server(&self) -> ServerContext {
        ServerContext::from_pem(&self.certificate, &self.key).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Another program; it is killed when it is not needed any more.
struct Foreign {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
}

impl Foreign {
    fn start(command: &mut Command) -> Foreign {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} {INSTALL}: {error}", command.get_program()));
        let output = child.stdout.take().map(BufReader::new);
        Foreign { child, output }
    }

    fn python(what: &str, folder: &Folder, port: Option<u16>) -> Foreign {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls_foreign/peers.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(what).arg(&folder.path);
        command.args(port.map(|port| port.to_string()));
        Foreign::start(&mut command)
    }

    fn s_client(folder: &Folder, port: u16) -> Command {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-servername", NAME]);
        command.args(["-verify_hostname", NAME, "-CAfile"]).arg(folder.file("root.pem"));
        command.args(["-connect", &format!("127.0.0.1:{port}")]);
        command
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut input = self.child.stdin.as_ref().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// Its next line, without keeping the loop from its work.
    async fn line(&mut self) -> String {
        let mut output = self.output.take().unwrap();
        let (output, line) = to_thread(move || {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            (output, line)
        })
        .await
        .unwrap();
        self.output = Some(output);
        line.trim_end().to_owned()
    }

    /// All that it still says.
    async fn rest(&mut self) -> String {
        drop(self.child.stdin.take());
        let mut output = self.output.take().unwrap();
        to_thread(move || {
            let mut rest = String::new();
            output.read_to_string(&mut rest).unwrap();
            rest
        })
        .await
        .unwrap()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Ends = Rc<RefCell<Vec<Result<Option<Rc<TlsInfo>>, ConnectionError>>>>;

fn info(writer: &StreamWriter) -> Option<Rc<TlsInfo>> {
    match writer.get_extra_info(ExtraInfo::SslObject)? {
        ExtraValue::Tls(info) => Some(info),
        _ => None,
    }
}

/// Sends back what comes, and notes how that ends.
async fn echo(mut reader: StreamReader, writer: StreamWriter, ends: Ends) {
    let info = info(&writer);
    let mut buffer = [0; 16 * 1024];
    let end = loop {
        match reader.read(&mut buffer).await {
            Ok(0) => {
                writer.close();
                break writer.wait_closed().await;
            }
            Ok(count) => {
                writer.write(&buffer[..count]).unwrap();
                if let Err(error) = writer.drain().await {
                    break Err(error);
                }
            }
            Err(error) => break Err(error),
        }
    };
    ends.borrow_mut().push(end.map(|()| info));
}

fn echo_server(context: &ServerContext, ends: &Ends) -> (Server, u16) {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let port = listener.local_addr().unwrap().port();
    let ends = ends.clone();
    let handler = move |reader, writer| echo(reader, writer, ends.clone());
    let (limit, timeouts) = (DEFAULT_LIMIT, Timeouts::DEFAULT);
    let server =
        start_tls_stream_server([listener], handler, limit, context, timeouts, Start::Now).unwrap();
    (server, port)
}

/// A server that speaks as `dialect` does until both agree on TLS.
fn upgrading_server(
    context: &ServerContext,
    ends: &Ends,
    dialect: &'static [(&'static str, &'static str)],
) -> (Server, u16) {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (context, ends) = (context.clone(), ends.clone());
    let handler = move |mut reader: StreamReader, mut writer: StreamWriter| {
        let (context, ends) = (context.clone(), ends.clone());
        async move {
            for (expected, answer) in dialect {
                if !expected.is_empty() {
                    let line = reader.readline().await.unwrap();
                    assert!(line.starts_with(expected.as_bytes()), "{line:?}");
                }
                writer.write(answer.as_bytes()).unwrap();
            }
            writer.start_tls_server_side(&context).await.unwrap();
            echo(reader, writer, ends).await;
        }
    };
    (start_stream_server([listener], handler, DEFAULT_LIMIT, Start::Now).unwrap(), port)
}

async fn ended(ends: &Ends) -> Result<Option<Rc<TlsInfo>>, ConnectionError> {
    loop {
        if let Some(end) = ends.borrow_mut().pop() {
            return end;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    std::net::TcpListener::bind(ANY_PORT).unwrap().local_addr().unwrap().port()
}

async fn connect(port: u16) -> TcpStream {
    loop {
        match TcpStream::connect(([127, 0, 0, 1], port).into()).await {
            Ok(stream) => return stream,
            // It is about to listen.
            Err(error) if error.cause == SourceError::ConnectionRefused => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn openssl_s_client_is_served() {
    let folder = Folder::new("s_client");
    run(async {
        let ends = Ends::default();
        let (_server, port) = echo_server(&folder.server().alpn(&["mill/1"]), &ends);
        for version in ["-tls1_2", "-tls1_3"] {
            let mut client =
                Foreign::start(Foreign::s_client(&folder, port).args(["-alpn", "mill/1", version]));
            client.write(b"hello\n");
            assert_eq!(client.line().await, "hello");
            drop(client.child.stdin.take());
            drop(client);
            // It is killed: with or without a goodbye.
            let end = ended(&ends).await;
            if let Ok(Some(info)) = end {
                assert_eq!(info.server_hostname.as_deref(), Some(NAME));
                assert_eq!(info.alpn_protocol.as_deref(), Some(&b"mill/1"[..]));
            }
        }
    });
}

#[test]
fn openssl_s_client_ends_with_a_goodbye() {
    let folder = Folder::new("s_client-end");
    run(async {
        let ends = Ends::default();
        let (_server, port) = echo_server(&folder.server(), &ends);
        let mut client = Foreign::start(Foreign::s_client(&folder, port).arg("-no_ign_eof"));
        client.write(b"hello\n");
        assert_eq!(client.line().await, "hello");
        assert_eq!(client.rest().await, "");
        let info = ended(&ends).await.expect("an end in order").expect("there is TLS");
        assert_eq!(info.server_hostname.as_deref(), Some(NAME));
    });
}

#[test]
fn openssl_s_client_upgrades() {
    const SMTP: &[(&str, &str)] = &[
        ("", "220 mill ESMTP\r\n"),
        ("EHLO", "250-mill\r\n250 STARTTLS\r\n"),
        ("STARTTLS", "220 go ahead\r\n"),
    ];
    let folder = Folder::new("smtp");
    run(async {
        let ends = Ends::default();
        let (_server, port) = upgrading_server(&folder.server(), &ends, SMTP);
        let mut command = Foreign::s_client(&folder, port);
        let mut client = Foreign::start(command.args(["-starttls", "smtp", "-no_ign_eof"]));
        client.write(b"hello\n");
        loop {
            // It shows the last line of the dialogue, too.
            match client.line().await.as_str() {
                "hello" => break,
                "" => panic!("no echo"),
                _ => {}
            }
        }
        client.rest().await;
        ended(&ends).await.expect("an end in order");
    });
}

#[test]
fn openssl_s_server_serves() {
    let folder = Folder::new("s_server");
    run(async {
        for version in ["-tls1_2", "-tls1_3"] {
            let port = free_port();
            let mut command = Command::new("openssl");
            command.args(["s_server", "-accept", &port.to_string(), "-rev", "-quiet", version]);
            command.arg("-cert").arg(folder.file("server.pem"));
            command.arg("-key").arg(folder.file("server.key"));
            let _server = Foreign::start(&mut command);
            let stream = connect(port).await;
            let (context, timeouts) = (folder.client(), Timeouts::DEFAULT);
            let (mut reader, writer) =
                open_tls_streams(stream, DEFAULT_LIMIT, &context, NAME, timeouts).await.unwrap();
            writer.write(b"hello\n").unwrap();
            assert_eq!(reader.readline().await.unwrap(), b"olleh\n");
            let version = if version == "-tls1_2" { "TLSv1.2" } else { "TLSv1.3" };
            assert_eq!(info(&writer).unwrap().version, version);
            // `CLOSE` makes it end the connection.
            writer.write(b"CLOSE\n").unwrap();
            assert_eq!(reader.read(&mut [0; 8]).await.unwrap(), 0);
            writer.close();
            writer.wait_closed().await.unwrap();
        }
    });
}

/// Sends a megabyte there and back, and says goodbye.
async fn check_echo(mut reader: StreamReader, writer: StreamWriter) {
    let much: Vec<u8> = (0..1 << 20).map(|index: u32| (index % 251) as u8).collect();
    writer.write(&much).unwrap();
    let mut got = vec![0; much.len()];
    reader.readexactly(&mut got).await.unwrap();
    assert!(got == much, "other bytes came back");
    writer.close();
    writer.wait_closed().await.unwrap();
}

#[test]
fn asyncio_serves() {
    let folder = Folder::new("asyncio-server");
    run(async {
        let mut server = Foreign::python("echo", &folder, None);
        let stream = connect(server.line().await.parse().unwrap()).await;
        let (context, timeouts) = (folder.client(), Timeouts::DEFAULT);
        let (reader, writer) =
            open_tls_streams(stream, DEFAULT_LIMIT, &context, NAME, timeouts).await.unwrap();
        check_echo(reader, writer).await;
        assert_eq!(server.rest().await, "done\n");
    });
}

#[test]
fn asyncio_upgrades_as_the_server() {
    let folder = Folder::new("asyncio-starttls");
    run(async {
        let mut server = Foreign::python("starttls", &folder, None);
        let stream = connect(server.line().await.parse().unwrap()).await;
        let (mut reader, mut writer) = open_streams(stream, DEFAULT_LIMIT).await.unwrap();
        writer.write(b"STARTTLS\n").unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"go ahead\n");
        writer.start_tls(&folder.client(), NAME).await.unwrap();
        check_echo(reader, writer).await;
        assert_eq!(server.rest().await, "done\n");
    });
}

#[test]
fn asyncio_connects() {
    let folder = Folder::new("asyncio-client");
    run(async {
        let ends = Ends::default();
        let (_server, port) = echo_server(&folder.server(), &ends);
        let mut client = Foreign::python("client", &folder, Some(port));
        assert_eq!(client.rest().await, "TLSv1.3\ndone\n");
        ended(&ends).await.expect("an end in order");
    });
}

#[test]
fn asyncio_upgrades_as_the_client() {
    let folder = Folder::new("asyncio-starttls-client");
    run(async {
        let ends = Ends::default();
        let dialect = &[("STARTTLS", "go ahead\n")];
        let (_server, port) = upgrading_server(&folder.server(), &ends, dialect);
        let mut client = Foreign::python("starttls-client", &folder, Some(port));
        assert_eq!(client.rest().await, "TLSv1.3\ndone\n");
        ended(&ends).await.expect("an end in order");
    });
}

#[test]
fn an_unwrap_is_answered() {
    let folder = Folder::new("unwrap");
    run(async {
        let ends = Ends::default();
        let (_server, port) = echo_server(&folder.server(), &ends);
        let mut client = Foreign::python("unwrap", &folder, Some(port));
        assert_eq!(client.rest().await, "done\n");
        ended(&ends).await.expect("an end in order");
    });
}

#[test]
fn who_vanishes_without_a_goodbye_is_noticed() {
    let folder = Folder::new("vanish");
    run(async {
        let ends = Ends::default();
        let (_server, port) = echo_server(&folder.server(), &ends);
        let mut client = Foreign::python("vanish", &folder, Some(port));
        assert_eq!(client.rest().await, "done\n");
        let error = ended(&ends).await.expect_err("an end without a goodbye");
        // TLS 1.3 servers send tickets; who closes with those unread resets the connection.
        let expected = matches!(
            error,
            ConnectionError::Tls(TlsError::Truncated)
                | ConnectionError::Source(SourceError::ConnectionReset)
        );
        assert!(expected, "{error}");
    });
}
