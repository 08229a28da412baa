//! From a file to a socket: by the system where it can, else by hand.

use super::error::{SocketError, SocketRefused};
use super::operation::Operation;
use super::operations::send_all;
use crate::sendfile::{PORTION, Progress, Reading, SendfileFallback, is_the_sockets, send};
use crate::watches::Half;
use socket2::Type;
use std::fs::File;
use std::io::{self, ErrorKind};

pub(super) async fn sendfile(
    operation: &Operation<'_>,
    file: &File,
    offset: u64,
    count: Option<u64>,
    fallback: SendfileFallback,
) -> Result<u64, SocketError> {
    match operation.socket().r#type() {
        Ok(Type::STREAM) => {}
        Ok(_other) => return Err(operation.failed(SocketRefused::NotAStream)),
        Err(error) => return Err(operation.os(error)),
    }
    let mut progress = Progress::new(file, offset, count);
    if let Err(reason) = by_the_system(operation, &mut progress).await? {
        match fallback {
            SendfileFallback::ReadAndSend => by_hand(operation, &mut progress).await?,
            SendfileFallback::Refuse => {
                return Err(operation.failed(SocketRefused::SendfileNotAvailable(reason)));
            }
        }
    }
    Ok(progress.sent())
}

/// Sends all, or says why the system does not do it; then nothing was sent.
async fn by_the_system(
    operation: &Operation<'_>,
    progress: &mut Progress<'_>,
) -> Result<Result<(), io::Error>, SocketError> {
    let mut waiting = operation.waiting(Half::Writer);
    loop {
        let portion = progress.next(PORTION);
        if portion == 0 {
            break;
        }
        match send(operation.socket(), progress.file, progress.position(), portion) {
            Ok(0) => break,
            Ok(count) => progress.add(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if progress.sent() == 0 && !is_the_sockets(&error) => {
                return Ok(Err(error));
            }
            Err(error) => return Err(operation.os(error)),
        }
        if progress.next(PORTION) > 0 {
            operation.ready(&mut waiting).await?;
        }
    }
    Ok(Ok(()))
}

async fn by_hand(
    operation: &Operation<'_>,
    progress: &mut Progress<'_>,
) -> Result<(), SocketError> {
    let unreadable = |error| operation.failed(SocketRefused::File(error));
    let mut reading = Reading::new(progress).map_err(unreadable)?;
    loop {
        let piece = reading.next(operation.event_loop, progress).await.map_err(unreadable)?;
        if piece.is_empty() {
            return Ok(());
        }
        send_all(operation, piece, |count| progress.add(count)).await?;
    }
}
