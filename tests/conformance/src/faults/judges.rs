//! Protocols that keep a record, and connections that have them.

use super::lives::End;
use super::record::Record;
use crate::case::Failure;
use molen::EventLoop;
use molen::net::{AfterEof, Answer, BufferedProtocol, ConnectionError, Protocol, Transport};

/// What both kinds of protocol have in common.
macro_rules! kept_in_the_record {
    () => {
        fn connection_made(&mut self, _transport: &Transport) -> Answer {
            self.0.made();
            self.0.answer()
        }

        fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
            let after = self.0.ended();
            self.0.answer().map(|()| after)
        }

        fn pause_writing(&mut self, _transport: &Transport) -> Answer {
            self.0.flow(true);
            self.0.answer()
        }

        fn resume_writing(&mut self, _transport: &Transport) -> Answer {
            self.0.flow(false);
            self.0.answer()
        }

        fn connection_lost(
            &mut self,
            _transport: &Transport,
            error: Option<&ConnectionError>,
        ) -> Answer {
            self.0.lost(error);
            self.0.answer()
        }
    };
}

/// A protocol that keeps a record.
pub(super) struct Judge(pub(super) &'static Record);

impl Protocol for Judge {
    kept_in_the_record!();

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        self.0.received(data);
        self.0.answer()
    }
}

/// The same with a buffer of its own.
pub(super) struct BufferedJudge(pub(super) &'static Record, pub(super) [u8; 5]);

impl BufferedProtocol for BufferedJudge {
    kept_in_the_record!();

    fn get_buffer(&mut self) -> &mut [u8] {
        &mut self.1
    }

    fn buffer_updated(&mut self, _transport: &Transport, count: usize) -> Answer {
        self.0.received(&self.1[..count]);
        self.0.answer()
    }
}

/// Connects the near end with a protocol that keeps `record`.
pub(super) type Connect = fn(&EventLoop, End, &'static Record) -> Result<Transport, Failure>;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
pub(super) mod link {
    use super::*;

    pub(in super::super) fn streamed(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        Ok(Transport::new(event_loop, end, Judge(record))?)
    }

    pub(in super::super) fn buffered(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        Ok(Transport::new_buffered(event_loop, end, BufferedJudge(record, [0; 5]))?)
    }
}

/// The connections, where there is no heap: each is driven by a task.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
pub(super) mod link {
    use super::*;
    use molen::net::{Buffered, Connection, Fixed, Streamed};

    static STREAMED: Connection<End, Streamed<Judge>, Fixed<40, 6>> = Connection::new();
    static BUFFERED: Connection<End, Buffered<BufferedJudge>, Fixed<40, 6>> = Connection::new();

    #[molen::task]
    async fn drive_streamed() {
        STREAMED.drive().await;
    }

    #[molen::task]
    async fn drive_buffered() {
        BUFFERED.drive().await;
    }

    pub(in super::super) fn streamed(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        STREAMED.reset();
        let transport = STREAMED.open(end, Streamed(Judge(record)));
        event_loop.create_task(drive_streamed())?.detach();
        transport.map_err(|_full| Failure::said("the connection is in use"))
    }

    pub(in super::super) fn buffered(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        BUFFERED.reset();
        let transport = BUFFERED.open(end, Buffered(BufferedJudge(record, [0; 5])));
        event_loop.create_task(drive_buffered())?.detach();
        transport.map_err(|_full| Failure::said("the connection is in use"))
    }
}
