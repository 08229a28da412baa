//! TLS over Unix sockets.

use crate::case::{Failure, Outcome};

#[cfg(not(unix))]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    Err(Failure::Unsupported("there are no Unix sockets on this platform"))
}

#[cfg(unix)]
pub(in super::super) fn tls_goes_over_unix_sockets() -> Outcome {
    use super::authority::both;
    use crate::real::{PATIENCE, ok, run};
    use molen::net::{
        AfterEof, Answer, ConnectionError, ExtraInfo, ExtraValue, Protocol, StreamReader,
        StreamWriter, Transport, UnixRefused, create_unix_connection, create_unix_server,
        open_unix_connection, start_unix_server,
    };
    use molen::tls::TlsError;
    use molen::{Duration, Event};
    use std::rc::Rc;

    /// Says each line again.
    struct Saying;

    impl Protocol for Saying {
        fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
            transport.write(data)?;
            Ok(())
        }
    }

    /// Says a line, and closes when that was said again.
    struct Asking(Rc<Event>);

    impl Protocol for Asking {
        fn connection_made(&mut self, transport: &Transport) -> Answer {
            transport.write(b"hello\n")?;
            Ok(())
        }

        fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
            if data.ends_with(b"\n") {
                transport.close();
            }
            Ok(())
        }

        fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
            Ok(AfterEof::Close)
        }

        fn connection_lost(
            &mut self,
            _transport: &Transport,
            error: Option<&ConnectionError>,
        ) -> Answer {
            if error.is_none() {
                self.0.set();
            }
            Ok(())
        }
    }

    run(async {
        let (client, server_context) = both()?;
        let name = std::format!("molen-tls-unix-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let handler = |mut reader: StreamReader, writer: StreamWriter| async move {
            if let Ok(line) = reader.readline().await {
                let _ = writer.writelines(&[b"> ", &line]);
            }
        };

        // What cannot be begun touches nothing.
        let listen = start_unix_server(&path, handler).tls(&server_context);
        let refused = listen.handshake_timeout(Duration::ZERO).await;
        check_matches!(
            refused.map_err(|error| error.cause),
            Err(UnixRefused::Tls(TlsError::NoTime { of: "handshake" }))
        );
        check!(!path.exists(), "a refused server has bound its path");

        // A pair of streams.
        let server = ok(start_unix_server(&path, handler).tls(&server_context).await)?;
        let open = open_unix_connection(&path).tls(&client).server_hostname("localhost");
        let (mut reader, writer) =
            ok(open.handshake_timeout(PATIENCE).shutdown_timeout(PATIENCE).await)?;
        match writer.get_extra_info(ExtraInfo::PeerName) {
            Some(ExtraValue::UnixAddress(peer)) => check_eq!(peer.as_pathname(), Some(&*path)),
            _ => return Err(Failure::said("it has no path")),
        }
        writer.write(b"hello\n")?;
        check_eq!(ok(reader.read_to_end().await)?, b"> hello\n");

        // A path is no name that a certificate could have.
        let nameless = open_unix_connection(&path).tls(&client).await;
        check_matches!(
            nameless.map_err(|error| error.cause).err(),
            Some(UnixRefused::Tls(TlsError::NoServerHostname))
        );
        let bare = open_unix_connection(&path).server_hostname("localhost").await;
        check_matches!(
            bare.map_err(|error| error.cause).err(),
            Some(UnixRefused::Tls(TlsError::HostnameWithoutTls))
        );
        let other = open_unix_connection(&path).tls(&client).server_hostname("mill.example").await;
        check_matches!(
            other.map_err(|error| error.cause).err(),
            Some(UnixRefused::Tls(TlsError::Certificate { .. }))
        );
        server.close();
        molen::yield_now().await;
        check!(!path.exists(), "the path is left");

        // Protocols.
        let listen = create_unix_server(&path, || Saying).tls(&server_context);
        let server = ok(listen.shutdown_timeout(PATIENCE).await)?;
        let over = Rc::new(Event::new());
        let connect = create_unix_connection(&path, Asking(over.clone()));
        ok(connect.tls(&client).server_hostname("localhost").await)?;
        over.wait().await;
        server.close();
        Ok(())
    })
}
