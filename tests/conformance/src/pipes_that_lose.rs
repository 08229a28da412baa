//! Pipes whose source loses bytes: our own case 2178.

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
                Err(Failure::Unsupported("pipes are connected where there is a heap"))
            })*
        }
    };
}
on_the_heap! {
    2178 a_read_pipes_protocol_may_live_with_a_hole
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::Outcome;
    use crate::fixture::event;
    use crate::wire::{batches, source};
    use molen::io::source::SourceError;
    use molen::net::{Answer, ConnectionError, Protocol, Transport, connect_read_pipe};
    use molen::testing::{Fault, Told};

    struct Tolerant;

    impl Protocol for Tolerant {
        fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
            event("data");
            Ok(())
        }

        fn data_lost(&mut self, _transport: &Transport, lost: u32) -> Answer {
            event(if lost == 3 { "three lost" } else { "others lost" });
            Ok(())
        }

        fn connection_lost(
            &mut self,
            _transport: &Transport,
            error: Option<&ConnectionError>,
        ) -> Answer {
            event(if error.is_none() { "lost" } else { "lost by an error" });
            Ok(())
        }
    }

    pub(super) fn a_read_pipes_protocol_may_live_with_a_hole() -> Outcome {
        let event_loop = new_loop!();
        const READS: &[Fault] = &[
            Fault::Data(b"before"),
            Fault::Fails(SourceError::Overrun(3)),
            Fault::Data(b"after"),
            Fault::End,
        ];
        let source = source(READS, &[]);
        event_loop.run_until_complete(async {
            connect_read_pipe(source.user(Told::ByEvents), Tolerant).await?;
            batches(8).await;
            Outcome::Ok(())
        })??;
        check_events!["data", "three lost", "data", "lost"];
        Ok(())
    }
}
