//! Datagram endpoints: behaviours 319 to 329, as far as they need no
//! address; the others are in `endpoints`.

use crate::case::Case;

cases_on_the_heap! {
    "datagram endpoints need a heap",
    319 a_refused_message_is_told_and_the_endpoint_goes_on
    321 a_failing_receive_is_told_and_the_endpoint_goes_on
    323 a_connected_endpoint_sends_to_its_peer_alone
    324 a_waiting_message_is_a_copy
    1680 messages_count_eight_bytes_more
    1681 empty_messages_are_sent_and_received
    1682 closing_sends_what_waits_and_aborting_does_not
    1683 errors_are_not_told_from_inside_sendto;
    not_applicable!(
        328,
        a_socket_excludes_other_options,
        "a socket that there is already is given to DatagramTransport::new, which has no options"
    ),
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::fixture::event;
    use crate::wire::{batches, check_written, source, wake};
    use molen::EventLoop;
    use molen::io::source::SourceError;
    use molen::net::{
        Answer, ConnectionError, DatagramProtocol, DatagramTransport, Flow, SendError,
        WriteBufferLimits,
    };
    use molen::testing::{Fault, FaultSource, Told};

    /// Notes what happens.
    struct Noting;

    impl DatagramProtocol<u8> for Noting {
        fn connection_made(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
            event("made");
            Ok(())
        }

        fn datagram_received(
            &mut self,
            _transport: &DatagramTransport<u8>,
            data: &[u8],
            sender: &u8,
        ) -> Answer {
            event(match (data, sender) {
                (b"a", 1) => "a",
                (b"", 1) => "empty",
                _ => "other",
            });
            Ok(())
        }

        fn error_received(
            &mut self,
            _transport: &DatagramTransport<u8>,
            error: SourceError,
        ) -> Answer {
            event(match error {
                SourceError::ConnectionRefused => "refused",
                _ => "error",
            });
            Ok(())
        }

        fn pause_writing(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
            event("pause");
            Ok(())
        }

        fn resume_writing(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
            event("resume");
            Ok(())
        }

        fn connection_lost(
            &mut self,
            _transport: &DatagramTransport<u8>,
            error: Option<&ConnectionError>,
        ) -> Answer {
            event(if error.is_none() { "lost" } else { "lost: error" });
            Ok(())
        }
    }

    fn endpoint(
        event_loop: &EventLoop,
        source: &'static FaultSource,
        peer: Option<u8>,
    ) -> Result<DatagramTransport<u8>, Failure> {
        Ok(DatagramTransport::new(event_loop, source.user(Told::ByEvents), Noting, peer)?)
    }

    pub(super) fn a_refused_message_is_told_and_the_endpoint_goes_on() -> Outcome {
        let event_loop = new_loop!();
        const REFUSED: Fault = Fault::Fails(SourceError::ConnectionRefused);
        let source = source(&[], &[REFUSED, Fault::WouldBlock, REFUSED]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, Some(2))?;
            batches(1).await;
            transport.sendto(b"x", None)?;
            batches(2).await;
            check_events!["made", "refused"];
            // One that waited; what comes after it is sent.
            transport.sendto(b"y", None)?;
            transport.sendto(b"z", None)?;
            wake(source).await;
            check!(!transport.is_closing(), "it is closing");
            check_written(source, b"z")?;
            Ok(())
        })??;
        check_events!["made", "refused", "refused"];
        Ok(())
    }

    pub(super) fn a_failing_receive_is_told_and_the_endpoint_goes_on() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Fails(SourceError::Os(1)), Fault::Data(b"a")], &[]);
        event_loop.run_until_complete(async {
            endpoint(&event_loop, source, None)?;
            batches(3).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "error", "a"];
        Ok(())
    }

    pub(super) fn a_connected_endpoint_sends_to_its_peer_alone() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, Some(2))?;
            check_eq!(transport.sendto(b"x", Some(&3)), Err(SendError::NotThePeer));
            check_eq!(transport.sendto(b"x", Some(&2))?, Flow::Open);
            check_eq!(transport.sendto(b"y", None)?, Flow::Open);
            check_written(source, b"xy")
        })?
    }

    pub(super) fn a_waiting_message_is_a_copy() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, None)?;
            let mut message = *b"before";
            transport.sendto(&message, Some(&2))?;
            message.fill(b'-');
            wake(source).await;
            check_written(source, b"before")
        })?
    }

    pub(super) fn messages_count_eight_bytes_more() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, None)?;
            batches(1).await;
            transport.set_write_buffer_limits(WriteBufferLimits::new(0, 16)?);
            check_eq!(transport.sendto(b"", Some(&2))?, Flow::Open);
            check_eq!(transport.sendto(b"", Some(&2))?, Flow::Open);
            check_eq!(transport.get_write_buffer_size(), 16);
            check_eq!(transport.sendto(b"", Some(&2))?, Flow::Paused);
            batches(2).await;
            wake(source).await;
            check_eq!(transport.get_write_buffer_size(), 0);
            Outcome::Ok(())
        })??;
        check_events!["made", "pause", "resume"];
        Ok(())
    }

    pub(super) fn empty_messages_are_sent_and_received() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b""), Fault::Data(b"a")], &[Fault::Takes(0)]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, None)?;
            batches(3).await;
            check_eq!(transport.sendto(b"", Some(&2))?, Flow::Open);
            check_eq!(transport.get_write_buffer_size(), 0);
            Outcome::Ok(())
        })??;
        check_events!["made", "empty", "a"];
        Ok(())
    }

    pub(super) fn closing_sends_what_waits_and_aborting_does_not() -> Outcome {
        let event_loop = new_loop!();
        let source_one = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source_one, None)?;
            transport.sendto(b"x", Some(&2))?;
            transport.close();
            batches(3).await;
            check_events!["made"];
            wake(source_one).await;
            check_written(source_one, b"x")?;

            let source = source(&[], &[Fault::WouldBlock]);
            let transport = endpoint(&event_loop, source, None)?;
            transport.sendto(b"x", Some(&2))?;
            transport.abort();
            batches(3).await;
            check_eq!(source.count(), 0);
            check_eq!(transport.sendto(b"x", Some(&2))?, Flow::Dropped);
            Outcome::Ok(())
        })??;
        check_events!["made", "lost", "made", "lost"];
        Ok(())
    }

    pub(super) fn errors_are_not_told_from_inside_sendto() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[Fault::Fails(SourceError::ConnectionRefused)]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, None)?;
            batches(1).await;
            transport.sendto(b"x", Some(&2))?;
            event("sent");
            batches(1).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "sent", "refused"];
        Ok(())
    }
}
