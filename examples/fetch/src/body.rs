//! The body of a response, whichever way it says where it ends.
//!
//! ```text
//!  Length ──all came──────────────────────────────────┐
//!  Chunked ──size line──▶ bytes ──▶ end of chunk ─┐   ├──▶ over
//!     ▲────────────────────────────────────────────┘  │
//!     └── size 0 ──▶ trailer ─────────────────────────┤
//!  UntilEnd ──the connection's end────────────────────┘
//! ```

use crate::failure::Failure;
use crate::head::Framing;
use molen::net::StreamReader;

/// How many fields may follow the last chunk.
const TRAILERS: usize = 128;

/// What is to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Bytes(u64),
    ChunkSize,
    Chunk(u64),
    UntilEnd,
    Over,
}

/// A body that is being read.
pub struct Body<'a> {
    reader: &'a mut StreamReader,
    state: State,
}

impl<'a> Body<'a> {
    /// What `reader` brings next.
    pub fn new(reader: &'a mut StreamReader, framing: Framing) -> Body<'a> {
        let state = match framing {
            Framing::Length(0) => State::Over,
            Framing::Length(length) => State::Bytes(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilEnd => State::UntilEnd,
        };
        Body { reader, state }
    }

    /// Reads some of it; 0 bytes are the end.
    ///
    /// # Errors
    ///
    /// [`Failure`]: the connection ended before the body did, it was lost, or
    /// the chunks are not such.
    ///
    /// # Cancellation
    ///
    /// No byte is lost, but a size may be; the body is then of no more use.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.state {
                State::Over => return Ok(0),
                State::ChunkSize => self.begin_chunk().await?,
                State::UntilEnd => {
                    let count = self.reader.read(buffer).await?;
                    if count == 0 {
                        self.state = State::Over;
                    }
                    return Ok(count);
                }
                State::Bytes(left) => {
                    let (count, left) = self.some(buffer, left).await?;
                    self.state = if left == 0 { State::Over } else { State::Bytes(left) };
                    return Ok(count);
                }
                State::Chunk(left) => {
                    let (count, left) = self.some(buffer, left).await?;
                    self.state = State::Chunk(left);
                    if left == 0 {
                        self.end_of_chunk().await?;
                        self.state = State::ChunkSize;
                    }
                    return Ok(count);
                }
            }
        }
    }

    /// Reads some of `left` bytes that are to come; how many, and how many are left then.
    async fn some(&mut self, buffer: &mut [u8], left: u64) -> Result<(usize, u64), Failure> {
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        match self.reader.read(&mut buffer[..most]).await? {
            0 => Err(Failure::Truncated),
            count => Ok((count, left - count as u64)),
        }
    }

    async fn begin_chunk(&mut self) -> Result<(), Failure> {
        let line = self.line().await?;
        let size = match httparse::parse_chunk_size(&line) {
            Ok(httparse::Status::Complete((_length, size))) => size,
            Ok(httparse::Status::Partial) | Err(_) => {
                return Err(Failure::Malformed("a wrong size of a chunk"));
            }
        };
        if size > 0 {
            self.state = State::Chunk(size);
            return Ok(());
        }
        for _ in 0..TRAILERS {
            if self.line().await?.trim_ascii().is_empty() {
                self.state = State::Over;
                return Ok(());
            }
        }
        Err(Failure::HeadTooLong)
    }

    async fn end_of_chunk(&mut self) -> Result<(), Failure> {
        match &*self.line().await? {
            b"\r\n" | b"\n" => Ok(()),
            _more => Err(Failure::Malformed("a chunk that is longer than it said")),
        }
    }

    /// A line with its end.
    async fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let line = self.reader.readline().await?;
        if line.ends_with(b"\n") { Ok(line) } else { Err(Failure::Truncated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole body, by small pieces, and what is left behind it.
    async fn read(framing: Framing, bytes: &[u8]) -> (Result<Vec<u8>, String>, Vec<u8>) {
        let mut reader = StreamReader::new();
        reader.feed_data(bytes);
        reader.feed_eof();
        let mut body = Body::new(&mut reader, framing);
        let (mut all, mut room) = (Vec::new(), [0; 3]);
        let result = loop {
            match body.read(&mut room).await {
                Ok(0) => break Ok(all),
                Ok(count) => all.extend_from_slice(&room[..count]),
                Err(failure) => break Err(failure.to_string()),
            }
        };
        (result, reader.read_to_end().await.expect("what is left"))
    }

    #[molen::test]
    async fn bodies_end_where_they_say() {
        let chunks =
            b"5\r\nhello\r\n1;x=y\r\n \r\n00A\r\nold friend\r\n0\r\nTrailer: x\r\n\r\nNEXT";
        let (body, rest) = read(Framing::Chunked, chunks).await;
        assert_eq!((body.as_deref(), &*rest), (Ok(&b"hello old friend"[..]), &b"NEXT"[..]));
        let (body, rest) = read(Framing::Length(5), b"helloNEXT").await;
        assert_eq!((body.as_deref(), &*rest), (Ok(&b"hello"[..]), &b"NEXT"[..]));
        let (body, _rest) = read(Framing::UntilEnd, b"hello").await;
        assert_eq!(body.as_deref(), Ok(&b"hello"[..]));
        let (body, rest) = read(Framing::Length(0), b"NEXT").await;
        assert_eq!((body.as_deref(), &*rest), (Ok(&b""[..]), &b"NEXT"[..]));
    }

    #[molen::test]
    async fn bodies_that_end_early_or_are_wrong_are_failures() {
        let truncated = Failure::Truncated.to_string();
        for (framing, bytes, reason) in [
            (Framing::Length(6), &b"hello"[..], &*truncated),
            (Framing::Chunked, b"", &truncated),
            (Framing::Chunked, b"5", &truncated),
            (Framing::Chunked, b"5\r\nhel", &truncated),
            (Framing::Chunked, b"5\r\nhello", &truncated),
            (Framing::Chunked, b"5\r\nhello\r\n", &truncated),
            (Framing::Chunked, b"5\r\nhello\r\n0\r\n", &truncated),
            (Framing::Chunked, b"5\r\nhello!\r\n0\r\n\r\n", "longer than it said"),
            (Framing::Chunked, b"x\r\n", "a wrong size"),
            (Framing::Chunked, b"-5\r\nhello\r\n", "a wrong size"),
            (Framing::Chunked, b"fffffffffffffffff\r\n", "a wrong size"),
        ] {
            let (body, _rest) = read(framing, bytes).await;
            let error = body.expect_err("a failure");
            assert!(error.contains(reason), "{:?}: {error}", String::from_utf8_lossy(bytes));
        }
    }
}
