//! What goes to a client, which must take some of it now and then.

use crate::response::{Body, Response};
use molen::net::StreamWriter;
use molen::timeouts::timeout;
use molen::{Duration, join, to_thread};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// How much of a file is read at once, and how much a client must take within the time limit.
const PIECE: u64 = 256 * 1024;

/// How long a client that was sent its last answer may go on talking.
pub const LINGER: Duration = Duration::from_secs(2);

/// The connection is of no more use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// The direction to the client.
pub struct Output {
    writer: StreamWriter,
    write_timeout: Duration,
}

impl Output {
    /// What `writer` sends; a client that takes nothing for `write_timeout` is left.
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
                Ok(()) => self.file(file, range.start, range.end).await,
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

    /// Sends a part of a file: while one piece is on its way, the next is read.
    async fn file(&self, file: File, mut start: u64, end: u64) -> Result<(), Gone> {
        let (mut file, mut piece) = read(file, start, end).await?;
        while !piece.is_empty() {
            start += piece.len() as u64;
            self.writer.write(&piece).map_err(|_after_eof| Gone)?;
            let (drained, next) = join((self.drained(), read(file, start, end))).await;
            drained?;
            (file, piece) = next?;
        }
        if start == end { Ok(()) } else { Err(Gone) }
    }

    /// Says that nothing more will come.
    pub fn end(&self) {
        // Refused where one direction cannot be closed alone; then both are, soon.
        let _ = self.writer.write_eof();
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

/// The next piece of a file, and the file; empty at the end.
async fn read(mut file: File, start: u64, end: u64) -> Result<(File, Vec<u8>), Gone> {
    let job = move || -> io::Result<(File, Vec<u8>)> {
        let mut piece = Vec::new();
        if start < end {
            file.seek(SeekFrom::Start(start))?;
            let length = PIECE.min(end - start);
            piece.reserve_exact(length as usize);
            (&file).take(length).read_to_end(&mut piece)?;
        }
        Ok((file, piece))
    };
    to_thread(job).await.map_err(|_refused| Gone)?.map_err(|_unreadable| Gone)
}
