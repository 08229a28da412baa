//! curl asks.

use crate::foreign::{output_of, text_of};
use crate::running::Running;
use molen_foreign::program;
use std::fs;
use std::process::{Child, Command, Stdio};

pub fn curl(arguments: &[&str]) -> Command {
    let mut curl = program("curl");
    // No configuration of this machine's, no proxy.
    curl.args(["-q", "--noproxy", "*", "--max-time", "60", "--silent", "--show-error"]);
    curl.args(arguments);
    curl
}

#[test]
fn files_come_byte_for_byte() {
    let server = Running::start(&[]);
    for (url, name) in [
        ("/hello.txt", "hello.txt"),
        ("/empty", "empty"),
        ("/small.bin", "small.bin"),
        ("/large.bin", "large.bin"),
        ("/a%20b+%25%C3%A9.txt", "a b+%é.txt"),
        ("/sub/", "sub/index.html"),
        ("//sub//./../hello.txt?query", "hello.txt"),
    ] {
        let found = output_of(curl(&["--fail", "--path-as-is"]).arg(server.url(url)));
        assert!(found == server.bytes(name), "{url}: {} bytes differ", found.len());
    }
}

#[test]
fn a_head_says_what_a_get_would() {
    let server = Running::start(&[]);
    for url in ["/hello.txt", "/large.bin", "/missing", "/sub"] {
        let head = text_of(curl(&["--head"]).arg(server.url(url)));
        let get =
            text_of(curl(&["--dump-header", "-", "--output", "/dev/null"]).arg(server.url(url)));
        let but_date = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with("Date:")).map(str::to_owned).collect()
        };
        assert_eq!(but_date(&head), but_date(&get), "{url}");
    }
    let head = text_of(curl(&["--head"]).arg(server.url("/hello.txt")));
    for line in [
        "HTTP/1.1 200 OK\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Length: 6\r\n",
        "Accept-Ranges: bytes\r\n",
        "Last-Modified: ",
        "ETag: \"6-",
    ] {
        assert!(head.contains(line), "{line:?} in {head}");
    }
}

#[test]
fn statuses_are_those_of_the_rfc() {
    let server = Running::start(&[]);
    fs::write(server.path(".hidden"), "x").expect("a file");
    std::os::unix::fs::symlink("/etc/passwd", server.path("out")).expect("a link");
    assert!(Command::new("mkfifo").arg(server.path("fifo")).status().expect("mkfifo").success());
    for (arguments, url, status) in [
        (&[][..], "/", "404"),
        (&[], "/missing", "404"),
        (&[], "/hello.txt/", "404"),
        (&[], "/hello.txt/below", "404"),
        (&[], "/.hidden", "404"),
        (&[], "/fifo", "404"),
        (&[], "/out", "403"),
        (&[], "/sub", "301"),
        (&[], "/../../etc/passwd", "400"),
        (&[], "/%2e%2e/%2e%2e/etc/passwd", "400"),
        (&[], "/..%2f..%2fetc%2fpasswd", "404"),
        (&[], "/%", "400"),
        (&["--request", "OPTIONS"], "/", "204"),
        (&["--request", "DELETE"], "/hello.txt", "405"),
        (&["--request", "BREW"], "/hello.txt", "501"),
        (&["--data", "a=b"], "/hello.txt", "405"),
        (&["--request", "GET", "--data", "a=b"], "/hello.txt", "413"),
        (&["--http1.0"], "/hello.txt", "200"),
        (&["--http2"], "/hello.txt", "200"),
    ] {
        let write = ["--output", "/dev/null", "--write-out", "%{http_code}", "--path-as-is"];
        let found = text_of(curl(&write).args(arguments).arg(server.url(url)));
        assert_eq!(found, status, "{arguments:?} {url}");
    }
}

#[test]
fn a_folder_without_its_slash_is_led_to_it() {
    let server = Running::start(&[]);
    let found = text_of(curl(&["--fail", "--location"]).arg(server.url("/sub?x=y")));
    assert_eq!(found, "<h1>index</h1>\n");
    let location = ["--output", "/dev/null", "--write-out", "%{redirect_url}"];
    let found = text_of(curl(&location).arg(server.url("/sub?x=y")));
    assert_eq!(found, server.url("/sub/?x=y"));
}

#[test]
fn folders_are_listed_when_that_is_asked_for() {
    let server = Running::start(&["--list"]);
    fs::write(server.path("<i>&\"'.txt"), "x").expect("a file");
    fs::write(server.path(".hidden"), "x").expect("a file");
    let page = text_of(curl(&["--fail"]).arg(server.url("/")));
    for part in [
        "<a href=\"./sub/\">sub/</a>",
        "<a href=\"./a%20b+%25%C3%A9.txt\">a b+%é.txt</a> 9",
        "&lt;i&gt;&amp;&quot;&#39;.txt</a>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("hidden") && !page.contains("../"), "{page}");
    assert!(page.find("sub/") < page.find("empty"), "{page}");
}

#[test]
fn parts_of_files_come_and_broken_off_downloads_are_resumed() {
    let server = Running::start(&[]);
    let large = server.bytes("large.bin");
    for (range, part) in [
        ("0-0", &large[..1]),
        ("8999999-", &large[8_999_999..]),
        ("-70000", &large[large.len() - 70_000..]),
        ("100-8000000", &large[100..=8_000_000]),
    ] {
        let found = output_of(curl(&["--fail", "--range", range]).arg(server.url("/large.bin")));
        assert!(found == part, "{range}: {} bytes differ", found.len());
    }
    let status = ["--output", "/dev/null", "--write-out", "%{http_code}", "--range"];
    for (range, expected) in [("0-0", "206"), ("9000001-", "416"), ("1-2,4-5", "200")] {
        let found = text_of(curl(&status).arg(range).arg(server.url("/large.bin")));
        assert_eq!(found, expected, "{range}");
    }
    let partial = server.folder.path().join("partial");
    fs::write(&partial, &large[..1_234_567]).expect("a file");
    output_of(
        curl(&["--fail", "--continue-at", "-", "--output"])
            .arg(&partial)
            .arg(server.url("/large.bin")),
    );
    assert!(fs::read(&partial).expect("a file") == large);
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let server = Running::start(&[]);
    let etag = server.path("etag");
    let etag = etag.to_str().expect("text");
    let get = |arguments: &[&str]| {
        let report = ["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"];
        text_of(curl(&report).args(arguments).arg(server.url("/small.bin")))
    };
    assert_eq!(get(&["--etag-save", etag]), "200 60000");
    assert_eq!(get(&["--etag-compare", etag]), "304 0");
    let file = server.path("small.bin");
    let file = file.to_str().expect("text");
    assert_eq!(get(&["--time-cond", file]), "304 0");
    assert_eq!(get(&["--time-cond", "Sun, 06 Nov 1994 08:49:37 GMT"]), "200 60000");
    fs::write(file, "changed").expect("a file");
    assert_eq!(get(&["--etag-compare", etag]), "200 7");
    let tag = fs::read_to_string(etag).expect("a tag");
    assert_eq!(get(&["--header", &format!("If-Match: {}", tag.trim())]), "412 24");
    assert_eq!(get(&["--range", "0-2", "--header", &format!("If-Range: {}", tag.trim())]), "200 7");
}

#[test]
fn one_connection_serves_several_urls() {
    let server = Running::start(&[]);
    let urls: Vec<String> = (0..20)
        .map(|number| ["/hello.txt", "/large.bin", "/missing", "/empty"][number % 4])
        .map(|path| server.url(path))
        .collect();
    // The second number is of connections that were made for a URL.
    let report = ["--write-out", "%{http_code} %{num_connects}\n", "--output", "/dev/null"];
    let mut command = curl(&[]);
    for url in &urls {
        command.args(report).arg(url);
    }
    let found = text_of(&mut command);
    let connects: u32 = found
        .lines()
        .map(|line| line.rsplit(' ').next().expect("a number").parse::<u32>().expect("a number"))
        .sum();
    assert_eq!(found.lines().count(), 20, "{found}");
    assert_eq!(connects, 1, "{found}");
}

#[test]
fn a_hundred_at_once_get_what_they_asked_for() {
    let server = Running::start(&["--quiet"]);
    let names = ["large.bin", "small.bin", "hello.txt", "empty"];
    let outputs = tempfile::tempdir().expect("a folder");
    let all: Vec<(usize, Child)> = (0..100)
        .map(|number| {
            let child = curl(&["--fail", "--output"])
                .arg(outputs.path().join(number.to_string()))
                .arg(server.url(&format!("/{}", names[number % names.len()])))
                .stderr(Stdio::inherit())
                .spawn();
            (number, child.expect("curl starts"))
        })
        .collect();
    for (number, mut child) in all {
        assert!(child.wait().expect("it can be waited for").success(), "curl {number}");
        let found = fs::read(outputs.path().join(number.to_string())).unwrap_or_default();
        assert!(found == server.bytes(names[number % names.len()]), "curl {number}");
    }
}

#[test]
fn several_addresses_and_a_unix_socket_are_served_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    let socket = socket.to_str().expect("text");
    let mut server = Running::start(&["--listen", "127.0.0.2:0", "--unix", socket]);
    let line = server.line();
    let (_, url) = line.split_once("http://").expect("a URL");
    let second = url.trim_end().trim_end_matches('/').to_owned();
    assert_ne!(second, server.address.to_string());
    for address in [server.address.to_string(), second] {
        let found = text_of(curl(&["--fail"]).arg(format!("http://{address}/hello.txt")));
        assert_eq!(found, "hello\n", "{address}");
    }
    let found =
        output_of(curl(&["--fail", "--unix-socket", socket]).arg("http://anything/large.bin"));
    assert!(found == server.bytes("large.bin"));
    server.signal("-TERM");
    let (status, log, errors) = server.end(std::time::Duration::from_secs(20));
    assert!(status.success(), "{errors}");
    assert!(log.contains("\n- - - ["), "{log}");
    assert!(!std::path::Path::new(socket).exists(), "the socket's path is removed");
}
