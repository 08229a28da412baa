//! HTTPS: curl, OpenSSL's `s_client` and Python's `ssl` ask.

use crate::foreign::{output_of, text_of};
use crate::running::{Running, read_all};
use crate::with_curl::curl;
use molen_foreign::certificates::{Certificates, issue};
use molen_foreign::program;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The server with `options`, and a certificate for this machine.
struct Secured {
    server: Running,
    certificates: Certificates,
    _folder: tempfile::TempDir,
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

impl Secured {
    fn start(options: &[&str]) -> Secured {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = issue(folder.path(), "DNS:localhost,IP:127.0.0.1");
        let (certificate, key) = (text(&certificates.certificate), text(&certificates.key));
        let mut all = vec!["--tls-cert", certificate, "--tls-key", key];
        all.extend(options);
        Secured { server: Running::start(&all), certificates, _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.server.address.port())
    }

    fn curl(&self, arguments: &[&str]) -> Command {
        let mut curl = curl(&["--cacert", text(&self.certificates.root)]);
        curl.args(arguments);
        curl
    }
}

#[test]
fn curl_gets_files_byte_for_byte_and_keeps_its_connection() {
    let secured = Secured::start(&[]);
    for name in ["hello.txt", "small.bin", "large.bin", "empty"] {
        let found = output_of(secured.curl(&["--fail"]).arg(secured.url(&format!("/{name}"))));
        assert!(found == secured.server.bytes(name), "{name}: {} bytes", found.len());
    }
    let part =
        output_of(secured.curl(&["--range", "5000000-5099999"]).arg(secured.url("/large.bin")));
    assert!(part == secured.server.bytes("large.bin")[5_000_000..5_100_000]);
    let report = "%{http_version} %{num_connects}\n";
    let mut several = secured.curl(&[]);
    for _ in 0..3 {
        several
            .args(["--write-out", report, "--output", "/dev/null"])
            .arg(secured.url("/small.bin"));
    }
    assert_eq!(text_of(&mut several), "1.1 1\n1.1 0\n1.1 0\n");
}

#[test]
fn a_hundred_at_once_get_what_they_asked_for() {
    let secured = Secured::start(&["--quiet"]);
    let names = ["small.bin", "hello.txt", "large.bin"];
    let all: Vec<_> = (0..100)
        .map(|number| {
            let name = names[number % 3];
            let mut curl = secured.curl(&["--fail"]);
            let curl = curl.arg(secured.url(&format!("/{name}"))).stdout(Stdio::piped());
            (name, curl.spawn().expect("curl starts"))
        })
        .collect();
    let reading: Vec<_> = all
        .into_iter()
        .map(|(name, child)| {
            std::thread::spawn(move || (name, child.wait_with_output().expect("its end")))
        })
        .collect();
    for thread in reading {
        let (name, output) = thread.join().expect("it is read");
        assert!(output.status.success() && output.stdout == secured.server.bytes(name), "{name}");
    }
}

#[test]
fn who_does_not_know_the_root_does_not_talk_to_it() {
    let secured = Secured::start(&[]);
    let refused = curl(&[]).arg(secured.url("/hello.txt")).output().expect("curl starts");
    // "Peer certificate cannot be authenticated with known CA certificates."
    assert_eq!(refused.status.code(), Some(60), "{refused:?}");
    assert_eq!(text_of(secured.curl(&["--fail"]).arg(secured.url("/hello.txt"))), "hello\n");
}

#[test]
fn s_client_agrees_on_http_and_gets_an_orderly_end() {
    let secured = Secured::start(&[]);
    let mut client = program("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-alpn", "h2,http/1.1"])
        .args(["-CAfile", text(&secured.certificates.root), "-verify_hostname", "localhost"])
        .args(["-connect", &secured.server.address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl starts");
    let mut input = client.stdin.take().expect("a pipe");
    input.write_all(b"GET /hello.txt HTTP/1.0\r\n\r\n").expect("it takes the request");
    // It ends because the server does.
    let output = client.wait_with_output().expect("its end");
    let (out, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.starts_with("HTTP/1.1 200 OK\r\n") && out.ends_with("\r\n\r\nhello\n"), "{out}");
    assert!(output.status.success() && !errors.contains("unexpected eof"), "{errors}");
    drop(input);
    let shown = program("openssl")
        .args(["s_client", "-brief", "-alpn", "h2,http/1.1"])
        .args(["-CAfile", text(&secured.certificates.root)])
        .args(["-connect", &secured.server.address.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("openssl starts");
    let errors = String::from_utf8_lossy(&shown.stderr);
    assert!(errors.contains("Protocol version: TLSv1.3"), "{errors}");
}

#[test]
fn python_asks_through_ssl() {
    let secured = Secured::start(&[]);
    let script = r#"
import http.client, ssl, sys
port, root, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=root)
context.set_alpn_protocols(['http/1.1'])
c = http.client.HTTPSConnection('localhost', port, timeout=30, context=context)
c.connect()
sock, version = c.sock, c.sock.version()
assert sock.selected_alpn_protocol() == 'http/1.1', sock.selected_alpn_protocol()
for name in ['large.bin', 'small.bin', 'empty', 'hello.txt'] * 3:
    c.request('GET', f'/{name}')
    with open(f'{folder}/{name}', 'rb') as f: assert c.getresponse().read() == f.read(), name
    assert c.sock is sock
c.request('GET', '/hello.txt', headers={'Connection': 'close'})
r = c.getresponse()
assert r.read() == b'hello\n'
print(version)
"#;
    let mut python = molen_foreign::python(script);
    python.arg(secured.server.address.port().to_string());
    python.arg(&secured.certificates.root).arg(secured.server.folder.path());
    assert_eq!(text_of(&mut python), "TLSv1.3\n");
}

#[test]
fn who_speaks_no_tls_or_says_nothing_is_left() {
    let secured = Secured::start(&["--header-timeout", "0.5"]);
    let mut plain = secured.server.connect();
    plain.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    let mut answer = Vec::new();
    // An alert, or just the end; not a file.
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("hello"), "{answer:?}");
    let began = Instant::now();
    let mut silent = secured.server.connect();
    assert_eq!(read_all(&mut silent), "");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn what_is_no_certificate_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = issue(folder.path(), "DNS:localhost");
    let other = tempfile::tempdir().expect("a folder");
    let others = issue(other.path(), "DNS:localhost");
    let said = |certificate: &Path, key: &Path| {
        let output = program("timeout")
            .args(["20", env!("CARGO_BIN_EXE_http-file-server"), "--listen", "127.0.0.1:0"])
            .args(["--tls-cert", text(certificate), "--tls-key", text(key)])
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let missing = said(Path::new("/does/not/exist"), &certificates.key);
    assert!(missing.contains("/does/not/exist: No such file"), "{missing}");
    let mixed = said(&certificates.certificate, &others.key);
    assert!(mixed.contains("http-file-server: cannot use a server's certificate"), "{mixed}");
    let swapped = said(&certificates.key, &certificates.certificate);
    assert!(swapped.contains("http-file-server: cannot "), "{swapped}");
}
