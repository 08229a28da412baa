//! Unix sockets and files with programs that are not ours: Python's asyncio and
//! socket, and socat.

#![cfg(unix)]

mod local;

use local::run;
use molen_core::net::{
    Answer, DatagramProtocol, DatagramTransport, StreamReader, StreamWriter, UnixAddress,
};
use molen_core::{Duration, sleep};
use molen_std::net::{
    PeerCredentials, create_datagram_endpoint, open_unix_connection, sendfile, start_unix_server,
};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory that is gone when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path =
            std::env::temp_dir().join(format!("molen-foreign-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts `program`, in whose arguments `PATH` stands for `path`.
fn start(program: &str, arguments: &[&str], path: &Path) -> Child {
    let arguments =
        arguments.iter().map(|argument| argument.replace("PATH", path.to_str().unwrap()));
    let mut command = Command::new(program);
    let started = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    match started {
        Ok(child) => child,
        Err(error) => panic!("cannot start {program}: {error}; `cargo xtask setup` installs it"),
    }
}

fn python(script: &str, path: &Path) -> Child {
    start("python3", &["-c", script, "PATH"], path)
}

/// Waits until the program ends well, and returns what it wrote.
async fn ended(mut child: Child) -> String {
    while child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(5)).await;
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the other program failed: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

async fn echo(
    mut reader: StreamReader,
    writer: StreamWriter,
) -> Result<(), Box<dyn core::error::Error>> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).await? {
            0 => return Ok(()),
            count => {
                writer.write(&buffer[..count])?;
                writer.drain().await?;
            }
        }
    }
}

#[test]
fn pythons_asyncio_is_a_client() {
    const CLIENT: &str = r#"
import asyncio, sys
async def main():
    reader, writer = await asyncio.open_unix_connection(sys.argv[1])
    assert writer.get_extra_info('peername') == sys.argv[1]
    sent = b'0123456789abcdef' * 100_000
    writer.write(sent)
    writer.write_eof()
    received = await reader.read()
    assert received == sent, len(received)
    writer.close()
    await writer.wait_closed()
asyncio.run(main())
"#;
    run(async {
        let directory = Directory::new("client");
        let path = directory.socket();
        let server = start_unix_server(&path, echo).mode(0o600).await.unwrap();
        ended(python(CLIENT, &path)).await;
        let text = directory.0.join("text");
        std::fs::write(&text, "some lines\n".repeat(100)).unwrap();
        let arguments = ["-u", text.to_str().unwrap(), "UNIX-CONNECT:PATH"];
        ended(start("socat", &arguments, &path)).await;
        server.close();
        server.wait_closed().await;
        assert!(!path.exists());
    });
}

#[test]
fn pythons_asyncio_is_a_server() {
    const SERVER: &str = r#"
import asyncio, sys
async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(b'> ' + line)
        await writer.drain()
    writer.close()
    done.set()
async def main():
    global done
    done = asyncio.Event()
    async with await asyncio.start_unix_server(handle, sys.argv[1]):
        await done.wait()
asyncio.run(main())
"#;
    run(async {
        let directory = Directory::new("server");
        let path = directory.socket();
        let server = python(SERVER, &path);
        let (mut reader, writer) = loop {
            match open_unix_connection(&path).await {
                Ok(streams) => break streams,
                Err(_not_yet) => sleep(Duration::from_millis(5)).await,
            }
        };
        let peer = PeerCredentials::of(writer.transport()).unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(peer.pid, i32::try_from(server.id()).ok());
        }
        for line in [&b"one\n"[..], b"two\n"] {
            writer.write(line).unwrap();
            assert_eq!(reader.readline().await.unwrap(), [b"> ", line].concat());
        }
        writer.write_eof().unwrap();
        assert_eq!(reader.read_to_end().await.unwrap(), b"");
        ended(server).await;
    });
}

#[test]
fn a_file_is_sent_to_python_and_socat() {
    const CLIENT: &str = r#"
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    total = bytearray()
    while data := client.recv(1 << 16):
        total += data
assert total[:1] == b'<' and total[-1:] == b'>', bytes(total[:8])
assert total[1:-1] == bytes(number * 7 % 256 for number in range(3_000_000)), len(total)
"#;
    run(async {
        let directory = Directory::new("file");
        let (path, file) = (directory.socket(), directory.0.join("file"));
        let content: Vec<u8> = (0..3_000_000).map(|number: u32| (number * 7) as u8).collect();
        std::fs::write(&file, &content).unwrap();
        let server = start_unix_server(&path, move |_reader, writer: StreamWriter| {
            let file = File::open(&file);
            async move {
                writer.write(b"<")?;
                sendfile(writer.transport(), &file?).await?;
                writer.write(b">")?;
                Ok::<_, Box<dyn core::error::Error>>(())
            }
        });
        let server = server.await.unwrap();
        ended(python(CLIENT, &path)).await;
        let to = directory.0.join("copy");
        let arguments = ["-u", "UNIX-CONNECT:PATH", &format!("CREATE:{}", to.display())];
        ended(start("socat", &arguments, &path)).await;
        let copy = std::fs::read(&to).unwrap();
        assert!(copy == [b"<", &content[..], b">"].concat(), "{} bytes came", copy.len());
        server.close();
    });
}

#[test]
fn messages_are_exchanged_with_python() {
    const CLIENT: &str = r#"
import os, socket, sys
own = sys.argv[1] + '-python'
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
    client.bind(own)
    for message in [b'one', b'', b'x' * 50_000]:
        client.sendto(message, sys.argv[1])
        answer, sender = client.recvfrom(1 << 17)
        assert answer == b'>' + message, len(answer)
        assert sender == sys.argv[1], sender
os.unlink(own)
"#;
    struct Echo;
    impl DatagramProtocol<UnixAddress> for Echo {
        fn datagram_received(
            &mut self,
            transport: &DatagramTransport<UnixAddress>,
            data: &[u8],
            sender: &UnixAddress,
        ) -> Answer {
            transport.sendto(&[b">", data].concat(), Some(sender))?;
            Ok(())
        }
    }
    run(async {
        let directory = Directory::new("messages");
        let path = directory.socket();
        let endpoint = create_datagram_endpoint(&*path, None, Echo).await.unwrap();
        ended(python(CLIENT, &path)).await;
        endpoint.close();
    });
}
