//! When another protocol takes over: our own cases from 2162.

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
                Err(Failure::Unsupported("protocols change where there is a heap"))
            })*
        }
    };
}
on_the_heap! {
    2162 a_protocol_replaced_while_it_is_looked_at_hears_nothing_more
    2174 who_makes_a_connection_goes_on_before_it_is_read
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::Outcome;
    use crate::fixture::event;
    use crate::wire::{Call, Probe, batches, connect, note, noting, source};
    use molen::net::{AfterEof, Answer, Transport, connect_accepted_socket};
    use molen::testing::{Fault, Told};

    fn second(_transport: &Transport, call: Call<'_>) -> Answer<AfterEof> {
        event("second:");
        note(&call);
        Ok(AfterEof::Close)
    }

    pub(super) fn a_protocol_replaced_while_it_is_looked_at_hears_nothing_more() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
            batches(2).await;
            // As a program does that decides by what the former one knows.
            transport.with_protocol(|_first: &mut Probe| transport.set_protocol(Probe(second)));
            source.script(&[Fault::Data(b"a")], &[]);
            batches(3).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "second:", "a"];
        Ok(())
    }

    pub(super) fn who_makes_a_connection_goes_on_before_it_is_read() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            for told in [Told::ByEvents, Told::ByWaiting] {
                // Something is there from the beginning: a client that speaks first.
                let source = source(&[Fault::Data(b"a")], &[]);
                let transport = connect_accepted_socket(source.user(told), Probe(noting)).await?;
                event("creator");
                transport.set_protocol(Probe(second));
                batches(3).await;
                transport.abort();
                batches(3).await;
            }
            Outcome::Ok(())
        })??;
        check_events![
            "made", "creator", "second:", "a", "second:", "lost", "made", "creator", "second:",
            "a", "second:", "lost"
        ];
        Ok(())
    }
}
