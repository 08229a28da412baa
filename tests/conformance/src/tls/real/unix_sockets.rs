//! TLS over Unix sockets.

use crate::case::{Failure, Outcome};

#[cfg(not(unix))]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    Err(Failure::Unsupported("there are no Unix sockets on this platform"))
}

#[cfg(unix)]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    use molen::net::{DEFAULT_LIMIT, ExtraInfo, ExtraValue, Start, UnixListener, UnixStream};
    use super::authority::both;
    use crate::real::{ok, run};
    use molen::net::{StreamReader, StreamWriter};
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
