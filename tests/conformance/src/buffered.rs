//! Protocols of both kinds, and changing from one to the other: behaviours 282
//! to 285.

use crate::case::Case;

cases_on_the_heap! {
    "without a heap a connection keeps the kind of protocol that it was made for",
    282 a_protocol_of_the_other_kind_takes_over
    284 a_failing_buffer_updated_ends_the_connection
    285 feeding_a_small_buffer_takes_several_rounds
    1620 an_empty_buffer_ends_the_connection
    1621 a_protocol_is_reached_by_its_type
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::Outcome;
    use crate::fixture::{event, test};
    use crate::wire::{Call, Probe, batches, connect, note, noting, source};
    use molen::net::{
        Answer, BufferedProtocol, ConnectionError, ProtocolError, Transport, feed_data,
    };
    use molen::testing::{Fault, Told};

    /// A protocol with a buffer of two bytes.
    struct Pairs {
        buffer: [u8; 2],
        size: usize,
        fails: bool,
    }

    impl Pairs {
        const fn new() -> Pairs {
            Pairs { buffer: [0; 2], size: 2, fails: false }
        }
    }

    impl BufferedProtocol for Pairs {
        fn get_buffer(&mut self) -> &mut [u8] {
            &mut self.buffer[..self.size]
        }

        fn buffer_updated(&mut self, _transport: &Transport, count: usize) -> Answer {
            event(match &self.buffer[..count] {
                b"he" => "he",
                b"ll" => "ll",
                b"o" => "o",
                _ => "other",
            });
            if self.fails { Err(ProtocolError::new("boom")) } else { Ok(()) }
        }

        fn connection_lost(
            &mut self,
            _transport: &Transport,
            error: Option<&ConnectionError>,
        ) -> Answer {
            note(&Call::Lost(error));
            Ok(())
        }
    }

    pub(super) fn a_protocol_of_the_other_kind_takes_over() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"a"), Fault::Data(b"hello")], &[]);
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, Told::ByEvents, |transport, call| {
                if let Call::Data(_) = call {
                    transport.set_buffered_protocol(Pairs::new());
                }
                noting(transport, call)
            })?;
            batches(5).await;
            transport.close();
            batches(2).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "a", "he", "ll", "o", "lost"];
        Ok(())
    }

    pub(super) fn a_failing_buffer_updated_ends_the_connection() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"hello")], &[]);
        event_loop.run_until_complete(async {
            let protocol = Pairs { fails: true, ..Pairs::new() };
            Transport::new_buffered(&event_loop, source.user(Told::ByEvents), protocol)?;
            batches(3).await;
            check_eq!(source.closed(), 1);
            Outcome::Ok(())
        })??;
        check_events!["he", "lost: protocol"];
        check_eq!(test().backend.report_count(), 1);
        Ok(())
    }

    pub(super) fn feeding_a_small_buffer_takes_several_rounds() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
            let fed = feed_data(&mut Pairs::new(), &transport, b"hello");
            check!(fed.is_ok(), "feeding failed");
            let empty = feed_data(&mut Pairs { size: 0, ..Pairs::new() }, &transport, b"x");
            check!(empty.is_err(), "an empty buffer is no failure");
            Outcome::Ok(())
        })??;
        check_events!["he", "ll", "o"];
        Ok(())
    }

    pub(super) fn an_empty_buffer_ends_the_connection() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"hello")], &[]);
        event_loop.run_until_complete(async {
            let protocol = Pairs { size: 0, ..Pairs::new() };
            Transport::new_buffered(&event_loop, source.user(Told::ByEvents), protocol)?;
            batches(3).await;
            Outcome::Ok(())
        })??;
        check_events!["lost: protocol"];
        Ok(())
    }

    pub(super) fn a_protocol_is_reached_by_its_type() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
            check_eq!(transport.with_protocol(|_probe: &mut Probe| 1), Some(1));
            check_eq!(transport.with_protocol(|_other: &mut Pairs| 1), None);
            Outcome::Ok(())
        })??;
        Ok(())
    }
}
