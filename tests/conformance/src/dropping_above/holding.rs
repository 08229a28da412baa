//! Waiting to write alone, and for room for a file.

use crate::case::{Failure, Outcome};
use crate::dropping_all::{drops, soon};
use crate::wire::{Probe, noting, source};
use core::cell::Cell;
use core::task::{Context, Poll};
use molen::io::source::{ByteSource, Source, SourceError};
use molen::io::{EventListener, Interest, Ready};
use molen::net::connect_accepted_socket;
use molen::testing::{Fault, FaultUser, Told};
use std::fs::File;

/// A source into which the system sends files: a byte of them for each call.
struct Sending(FaultUser);

impl Source for Sending {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.0.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.0.listen(listener)
    }
}

impl ByteSource for Sending {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.0.try_read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.0.try_write(bytes)
    }

    fn try_sendfile(
        &self,
        _file: &File,
        _offset: u64,
        _count: usize,
    ) -> Result<usize, SourceError> {
        self.0.try_write(b"f")
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        self.0.shutdown()
    }
}

pub(super) fn waits_to_write_alone_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    // Any file: none of it is looked at.
    let file = std::env::current_exe().and_then(File::open);
    let file = file.map_err(|error| Failure::shown(&error))?;
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        let connecting =
            connect_accepted_socket(Sending(source.user(Told::ByEvents)), Probe(noting));
        let transport = connecting.await?;
        let sent = Cell::new(0);
        // Others can write again, and what was written before has gone, once.
        let others_write = || {
            source.script(&[], &[]);
            let free = transport.hold_writing().is_ok() && transport.write(b"!").is_ok();
            sent.set(sent.get() + 1);
            free && source.count() == sent.get()
        };
        let make = || {
            sent.set(sent.get() + 1);
            source.script(&[], &[Fault::WouldBlock]);
            soon(|| source.set_ready(Ready::BOTH));
            let written = transport.write(b"x").is_ok();
            let transport = &transport;
            async move {
                let hold = transport.hold_writing().ok()?;
                let refused = transport.write(b"y").is_err();
                hold.written(0).await.ok()?;
                (written && refused).then_some(())
            }
        };
        // The event of the script is heard, too, though it is over.
        drops(3, make, others_write).await?;
        let make = || {
            source.script(&[], &[Fault::WouldBlock]);
            soon(|| source.set_ready(Ready::BOTH));
            let (transport, file, sent) = (&transport, &file, &sent);
            async move {
                let hold = transport.hold_writing().ok()?;
                let count = hold.sendfile(file, 0, 1).await.ok()?;
                // Sent in the step that says so, and in no other.
                sent.set(sent.get() + count);
                Some(())
            }
        };
        drops(2, make, others_write).await?;
        transport.abort();
        Ok(())
    })?
}
