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
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::Outcome;
    use crate::fixture::event;
    use crate::wire::{Call, Probe, batches, connect, note, noting, source};
    use molen::net::{AfterEof, Answer, Transport};
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
}
