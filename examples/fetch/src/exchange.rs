//! One request and its response.

use crate::body::Body;
use crate::connections::{Connection, Connections, Origin};
use crate::failure::Failure;
use crate::head::{Framing, Head};
use crate::progress::Progress;
use crate::sink::{Destination, Sink};
use molen::Duration;
use molen::timeouts::{TimeoutError, timeout};
use tempfile::TempPath;
use url::{Position, Url};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// A body that is not wanted is read for the sake of the connection, but only so much of it.
const NOT_WANTED: u64 = 64 * 1024;

/// Heads that come before the one that counts (100 and its kind).
const INTERIM: usize = 16;

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub head: Head,
    /// How long the body was, if it was wanted.
    pub bytes: u64,
    /// The body, if it was to be spooled.
    pub spooled: Option<TempPath>,
}

/// How requests are made.
pub struct Exchange<'a> {
    pub connections: &'a Connections,
    pub progress: &'a Progress,
    pub idle_timeout: Duration,
}

impl Exchange<'_> {
    /// Asks for `url`, and has the body go to `to` if it is one.
    ///
    /// # Errors
    ///
    /// [`Failure`]; that the server has another answer is none.
    ///
    /// # Cancellation
    ///
    /// The connection is closed, and a file that has begun removed.
    pub async fn get(&self, url: &Url, to: &Destination) -> Result<Answer, Failure> {
        let origin = Origin::of(url)?;
        if let Some(connection) = self.connections.used(&origin) {
            match self.get_on(connection, &origin, url, to).await {
                // The server had closed it while the request was on its way.
                Err(Failure::Closed | Failure::Lost(_)) => {}
                done => return done,
            }
        }
        let connection = self.connections.open(&origin).await?;
        self.get_on(connection, &origin, url, to).await
    }

    async fn get_on(
        &self,
        mut connection: Connection,
        origin: &Origin,
        url: &Url,
        to: &Destination,
    ) -> Result<Answer, Failure> {
        connection.writer.write(request(url).as_bytes())?;
        let head = self.head(&mut connection).await?;
        let wanted = (200..300).contains(&head.status);
        let (bytes, spooled) = if wanted {
            let mut sink = Sink::open(to).await?;
            // From here on it is not asked again on another connection.
            let copied = self.copy(&mut connection, head.framing, &mut sink).await;
            copied.map_err(|failure| match failure {
                Failure::Closed => Failure::Truncated,
                other => other,
            })?;
            (sink.count(), sink.finish().await?)
        } else {
            if !self.skip(&mut connection, head.framing).await {
                return Ok(Answer { head, bytes: 0, spooled: None });
            }
            (0, None)
        };
        if head.keep_alive {
            self.connections.keep(origin, connection);
        }
        Ok(Answer { head, bytes, spooled })
    }

    async fn head(&self, connection: &mut Connection) -> Result<Head, Failure> {
        for _ in 0..INTERIM {
            let head = connection.reader.readuntil(&[b"\n\r\n", b"\n\n"]);
            let bytes = self.in_time(async { Ok(head.await?) }).await?;
            let head = Head::parse(&bytes)?;
            match head.status {
                101 => return Err(Failure::Malformed("another protocol, not asked for")),
                100..200 => {}
                _ => return Ok(head),
            }
        }
        Err(Failure::Malformed("nothing but interim answers"))
    }

    async fn copy(
        &self,
        connection: &mut Connection,
        framing: Framing,
        sink: &mut Sink,
    ) -> Result<(), Failure> {
        let mut body = Body::new(&mut connection.reader, framing);
        let mut room = vec![0; PIECE];
        loop {
            let count = self.in_time(body.read(&mut room)).await?;
            if count == 0 {
                return Ok(());
            }
            self.progress.bytes(count);
            sink.write(&room[..count]).await?;
        }
    }

    /// Reads a body that is not wanted; whether it was short, and is over.
    async fn skip(&self, connection: &mut Connection, framing: Framing) -> bool {
        let mut body = Body::new(&mut connection.reader, framing);
        let mut room = vec![0; 4096];
        let mut skipped = 0;
        while skipped < NOT_WANTED {
            match self.in_time(body.read(&mut room)).await {
                Ok(0) => return true,
                Ok(count) => skipped += count as u64,
                Err(_failure) => return false,
            }
        }
        false
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match timeout(self.idle_timeout, work).await {
            Ok(done) => done,
            Err(TimeoutError::Elapsed) => Err(Failure::Idle(self.idle_timeout)),
            Err(error) => Err(Failure::Writer(error.to_string())),
        }
    }
}

fn request(url: &Url) -> String {
    format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: molen-fetch/{}\r\nAccept: */*\r\n\
         Accept-Encoding: identity\r\n\r\n",
        &url[Position::BeforePath..Position::AfterQuery],
        &url[Position::BeforeHost..Position::AfterPort],
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_path_and_host() {
        for (url, line, host) in [
            ("http://a", "GET / HTTP/1.1\r\n", "\r\nHost: a\r\n"),
            ("http://a:80/x y?q=é#f", "GET /x%20y?q=%C3%A9 HTTP/1.1\r\n", "\r\nHost: a\r\n"),
            ("http://[::1]:8080/\r\n", "GET / HTTP/1.1\r\n", "\r\nHost: [::1]:8080\r\n"),
        ] {
            let request = request(&Url::parse(url).expect("a URL"));
            assert!(request.starts_with(line) && request.contains(host), "{request}");
        }
    }
}
