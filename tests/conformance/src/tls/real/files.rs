//! Files through TLS, and TLS over Unix sockets.

use super::authority::{ANY, both};
use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use molen::net::{SendfileError, SendfileFallback, StreamReader, StreamWriter};
use molen::net::{open_connection, sendfile, start_server};
use std::fs::File;
use std::rc::Rc;
use std::vec::Vec;

/// A file that is gone when the case ends.
struct Temporary(std::path::PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may stay, if the system says so.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Sends `file`, and closes before it is sent.
async fn send(file: &File, writer: &StreamWriter) -> Result<u64, Failure> {
    let by_the_system = sendfile(writer.transport(), file).fallback(SendfileFallback::Refuse);
    check_matches!(by_the_system.await, Err(SendfileError::NotAvailable(_)));
    writer.write(b"<")?;
    let mut sending = pin!(sendfile(writer.transport(), file).into_future());
    let pending = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
    check!(pending, "it was sent at once");
    writer.close();
    ok(sending.await)
}

pub(in super::super) fn a_file_goes_through_tls_before_the_goodbye() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let content: Vec<u8> = (0..6_000_000).map(|index: u32| (index * 31) as u8).collect();
        let name = std::format!("molen-tls-file-{}", std::process::id());
        let temporary = Temporary(std::env::temp_dir().join(name));
        ok(std::fs::write(&temporary.0, &content))?;
        let file = Rc::new(ok(File::open(&temporary.0))?);
        let handler = move |_reader: StreamReader, writer: StreamWriter| {
            let file = file.clone();
            async move { send(&file, &writer).await.map(|_count| ()).map_err(|_| "it was not sent") }
        };
        let server = ok(start_server(ANY, handler).tls(&server).await)?;
        let connecting = open_connection(server.addresses()[0]).tls(&client);
        let (mut reader, _writer) = ok(connecting.server_hostname("localhost").await)?;
        // Cut off, it would be an error.
        let received = ok(reader.read_to_end().await)?;
        check!(received == [b"<", &content[..]].concat(), "something else was received");
        server.close();
        Ok(())
    })
}

#[cfg(not(unix))]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    Err(Failure::Unsupported("there are no Unix sockets on this platform"))
}

#[cfg(unix)]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    use molen::net::{DEFAULT_LIMIT, ExtraInfo, ExtraValue, Start, UnixListener, UnixStream};
    use molen::tls::{Timeouts, open_tls_streams, start_tls_stream_server};
    run(async {
        let (client, server) = both()?;
        let name = std::format!("molen-tls-unix-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let handler = |mut reader: StreamReader, writer: StreamWriter| async move {
            if let Ok(line) = reader.readline().await {
                let _ = writer.writelines(&[b"> ", &line]);
            }
        };
        let listener = ok(UnixListener::bind(&path))?;
        let (limit, timeouts) = (DEFAULT_LIMIT, Timeouts::DEFAULT);
        let server = start_tls_stream_server([listener], handler, limit, &server, timeouts, Start::Now);
        let server = ok(server)?;
        let stream = ok(UnixStream::connect(&path).await)?;
        let streams = open_tls_streams(stream, limit, &client, "localhost", timeouts).await;
        let (mut reader, writer) = ok(streams)?;
        match writer.get_extra_info(ExtraInfo::PeerName) {
            Some(ExtraValue::UnixAddress(peer)) => check_eq!(peer.as_pathname(), Some(&*path)),
            _ => return Err(Failure::said("it has no path")),
        }
        writer.write(b"hello\n")?;
        check_eq!(ok(reader.read_to_end().await)?, b"> hello\n");
        server.close();
        molen::yield_now().await;
        check!(!path.exists(), "the path is left");
        Ok(())
    })
}
