//! What goes to a client, which must take some of it now and then.

use crate::response::{Body, Response};
use molen::Duration;
use molen::net::{StreamWriter, sendfile};
use molen::timeouts::timeout;
use std::fs::File;

/// How much of a file a client must take within the time limit.
const PIECE: u64 = 256 * 1024;

/// The connection is of no more use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// The direction to the client.
pub struct Output {
    writer: StreamWriter,
    write_timeout: Duration,
}

impl Output {
    /// What `writer` sends; a client that is too slow for `write_timeout` is left.
    pub fn new(writer: StreamWriter, write_timeout: Duration) -> Output {
        Output { writer, write_timeout }
    }

    /// Sends a response: `head`, and its body if `with_body`.
    ///
    /// # Errors
    ///
    /// [`Gone`]: the client is, or it took nothing for too long, or the file
    /// is shorter than was said. Then the connection is aborted, as part of the
    /// response may have been sent.
    ///
    /// # Cancellation
    ///
    /// The same.
    pub async fn send(&self, head: &str, response: Response, body: Send) -> Result<(), Gone> {
        let sent = match (body, response.body) {
            (Send::HeadOnly, _body) => self.pieces(&[head.as_bytes()]).await,
            (Send::All, Body::Bytes(bytes)) => self.pieces(&[head.as_bytes(), &bytes]).await,
            (Send::All, Body::File(file, range)) => match self.pieces(&[head.as_bytes()]).await {
                Ok(()) => self.file(&file, range.start, range.end).await,
                Err(gone) => Err(gone),
            },
        };
        sent.inspect_err(|Gone| self.writer.transport().abort())
    }

    async fn pieces(&self, pieces: &[&[u8]]) -> Result<(), Gone> {
        self.writer.writelines(pieces).map_err(|_after_eof| Gone)?;
        self.drained().await
    }

    /// Waits until the client has taken enough.
    async fn drained(&self) -> Result<(), Gone> {
        match timeout(self.write_timeout, self.writer.drain()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_lost)) => Err(Gone),
            Err(_elapsed) => Err(Gone),
        }
    }

    /// Sends a part of a file, by the system where it can.
    async fn file(&self, file: &File, mut start: u64, end: u64) -> Result<(), Gone> {
        while start < end {
            let piece = PIECE.min(end - start);
            let sending = sendfile(self.writer.transport(), file).offset(start).count(piece);
            match timeout(self.write_timeout, sending).await {
                Ok(Ok(sent)) if sent > 0 => start += sent,
                // The file has become shorter, or the client is gone, or slow.
                _ => return Err(Gone),
            }
        }
        Ok(())
    }

    /// Says that nothing more will come, and whether the client can go on
    /// sending: TLS has no such end of one direction.
    pub fn end(&self) -> bool {
        self.writer.can_write_eof() && self.writer.write_eof().is_ok()
    }

    /// Closes the connection when the client has taken everything, or has not for too long.
    ///
    /// # Cancellation
    ///
    /// The connection is closed.
    pub async fn close(self) {
        self.writer.close();
        if timeout(self.write_timeout, self.writer.wait_closed()).await.is_err() {
            self.writer.transport().abort();
        }
    }
}

/// How much of a response is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Send {
    All,
    /// To HEAD.
    HeadOnly,
}
