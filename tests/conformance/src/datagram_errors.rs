//! When errors of datagrams are told: our own cases from 2160.

use crate::case::Case;

macro_rules! on_the_heap {
    ($($number:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            $(case!($number, $name),)*
        ];

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod heap {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("datagram endpoints need a heap"))
            })*
        }
    };
}
on_the_heap! {
    2160 an_error_is_told_before_the_end_that_follows_it
    2161 who_answers_errors_with_messages_that_fail_holds_nobody_up
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::fixture::event;
    use crate::wire::{batches, source};
    use molen::EventLoop;
    use molen::io::source::SourceError;
    use molen::net::{Answer, ConnectionError, DatagramProtocol, DatagramTransport};
    use molen::testing::{Fault, FaultSource, Told};

    /// What an endpoint does that hears of an error.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Then {
        Nothing,
        SendAgain,
    }

    struct Noting(Then);

    impl DatagramProtocol<u8> for Noting {
        fn connection_made(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
            event("made");
            Ok(())
        }

        fn datagram_received(
            &mut self,
            _transport: &DatagramTransport<u8>,
            _data: &[u8],
            _sender: &u8,
        ) -> Answer {
            event("received");
            Ok(())
        }

        fn error_received(
            &mut self,
            transport: &DatagramTransport<u8>,
            _error: SourceError,
        ) -> Answer {
            event("error");
            if self.0 == Then::SendAgain {
                transport.sendto(b"again", None)?;
            }
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
        then: Then,
    ) -> Result<DatagramTransport<u8>, Failure> {
        Ok(DatagramTransport::new(event_loop, source.user(Told::ByEvents), Noting(then), Some(2))?)
    }

    const REFUSED: Fault = Fault::Fails(SourceError::ConnectionRefused);

    pub(super) fn an_error_is_told_before_the_end_that_follows_it() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[REFUSED, REFUSED]);
        event_loop.run_until_complete(async {
            // Who sends its last words and closes is told what became of them,
            // also when connection_made is still to come.
            let transport = endpoint(&event_loop, source, Then::Nothing)?;
            transport.sendto(b"bye", None)?;
            transport.close();
            batches(4).await;
            check_events!["made", "error", "lost"];
            source.reset(&[], &[REFUSED]);
            let transport = endpoint(&event_loop, source, Then::Nothing)?;
            batches(1).await;
            transport.sendto(b"bye", None)?;
            transport.abort();
            batches(4).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "error", "lost", "made", "error", "lost"];
        Ok(())
    }

    pub(super) fn who_answers_errors_with_messages_that_fail_holds_nobody_up() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[REFUSED, REFUSED, REFUSED]);
        event_loop.run_until_complete(async {
            let transport = endpoint(&event_loop, source, Then::SendAgain)?;
            batches(1).await;
            transport.sendto(b"x", None)?;
            for _ in 0..3 {
                batches(1).await;
                event("others");
            }
            Outcome::Ok(())
        })??;
        check_events!["made", "error", "others", "error", "others", "error", "others"];
        Ok(())
    }
}
