//! nginx in front: clients ask it, and it asks the server.

use crate::foreign::{output_of, text_of};
use crate::running::Running;
use crate::with_curl::curl;
use molen_foreign::{free_port, nginx};

#[test]
fn nginx_hands_requests_on_by_tcp_and_by_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    let server = Running::start(&["--list", "--unix", socket.to_str().expect("text")]);
    let port = free_port();
    // The first by HTTP/1.0 and a connection for each request, the second by connections that are kept.
    let configuration = format!(
        "upstream kept {{ server {}; keepalive 4; }}
         server {{ listen 127.0.0.1:{port};
           location /unix/ {{ proxy_pass http://unix:{}:/; }}
           location /tcp/ {{ proxy_pass http://kept/; proxy_http_version 1.1;
                             proxy_set_header Connection \"\"; }} }}",
        server.address,
        socket.display(),
    );
    let _nginx = nginx::start(folder.path(), port, &configuration);
    for way in ["unix", "tcp"] {
        let url = |path: &str| format!("http://127.0.0.1:{port}/{way}{path}");
        for name in ["large.bin", "small.bin", "empty", "sub/index.html"] {
            let found = output_of(curl(&["--fail"]).arg(url(&format!("/{name}"))));
            assert!(found == server.bytes(name), "{way} {name}: {} bytes", found.len());
        }
        let part = output_of(curl(&["--fail", "--range", "7-1000006"]).arg(url("/large.bin")));
        assert!(part == server.bytes("large.bin")[7..=1_000_006], "{way}");
        let page = text_of(curl(&["--fail"]).arg(url("/")));
        assert!(page.contains("<a href=\"./hello.txt\">"), "{page}");
        let head = text_of(curl(&["--head"]).arg(url("/missing")));
        assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    }
    let report = ["--output", "/dev/null", "--write-out", "%{http_code}\n"];
    let mut many = curl(&["--parallel", "--parallel-max", "20"]);
    for number in 0..200 {
        let way = if number % 2 == 0 { "unix" } else { "tcp" };
        many.args(report).arg(format!("http://127.0.0.1:{port}/{way}/small.bin"));
    }
    assert_eq!(text_of(&mut many), "200\n".repeat(200));
}
