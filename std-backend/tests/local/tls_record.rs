//! The record path of TLS under bytes that nobody would send: [`tls_record`]
//! is called by a test beside this folder, and by the fuzz target of its name.

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use molen_core::io::source::{ByteSource, Source, SourceError};
use molen_core::io::{EventListener, Interest, Ready, Registration};
use molen_core::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen_core::testing::TestBackend;
use molen_core::{Duration, create_task, sleep};
use molen_std::tls::{
    ClientContext, ClientSide, ServerContext, ServerSide, TlsEngine, connect_tls,
    start_tls_server_side,
};
use rcgen::{CertificateParams, KeyPair};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::OnceLock;

thread_local! {
    /// Fuzzers call without end, so it is one for all calls of a thread.
    static BACKEND: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
}

/// Both sides' contexts; the certificate vouches for itself.
fn contexts() -> &'static (ClientContext, ServerContext) {
    static CONTEXTS: OnceLock<(ClientContext, ServerContext)> = OnceLock::new();
    CONTEXTS.get_or_init(|| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let client = ClientContext::with_roots_pem(&certificate).unwrap();
        (client, ServerContext::from_pem(&certificate, key.serialize_pem()).unwrap())
    })
}

/// One end of a connection, whose other end the test is.
#[derive(Default)]
struct Wire {
    incoming: RefCell<VecDeque<u8>>,
    outgoing: RefCell<Vec<u8>>,
    ended: Cell<bool>,
    registration: Registration,
}

impl Wire {
    fn give(&self, bytes: &[u8]) {
        self.incoming.borrow_mut().extend(bytes);
        self.registration.set_ready(Ready::BOTH);
    }

    fn end(&self) {
        self.ended.set(true);
        self.registration.set_ready(Ready::BOTH);
    }
}

impl Source for Wire {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.registration.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.registration.ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.registration.listen(listener);
        true
    }
}

impl ByteSource for Wire {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let mut incoming = self.incoming.borrow_mut();
        let count = buffer.len().min(incoming.len());
        if count == 0 && !self.ended.get() {
            self.registration.clear(Ready::READABLE);
            return Err(SourceError::WouldBlock);
        }
        for (place, byte) in buffer.iter_mut().zip(incoming.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.outgoing.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// What the protocol above was told.
#[derive(Default)]
struct Told {
    made: Cell<u32>,
    lost: Cell<u32>,
    data: Cell<usize>,
}

struct Above(Rc<Told>);

impl Protocol for Above {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        self.0.made.set(self.0.made.get() + 1);
        transport.write(b"hello")?;
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        assert_eq!(self.0.lost.get(), 0, "data after the end");
        self.0.data.set(self.0.data.get() + data.len());
        Ok(())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        Ok(AfterEof::Close)
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost.set(self.0.lost.get() + 1);
        if let Some(error) = error {
            let known = matches!(error, ConnectionError::Tls(_) | ConnectionError::Source(_));
            assert!(known, "an error of another kind: {error}");
        }
        Ok(())
    }
}

/// Below, until TLS begins.
struct Plain;

impl Protocol for Plain {
    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        Ok(())
    }
}

/// What the other side says in one step, changed as `fuzz` says.
struct Peer<'a> {
    engine: Box<dyn TlsEngine>,
    fuzz: core::slice::Iter<'a, u8>,
}

impl Peer<'_> {
    fn next(&mut self) -> Option<u8> {
        self.fuzz.next().copied()
    }

    /// Hears `heard`, and what it says then.
    fn answer(&mut self, heard: &[u8]) -> Vec<u8> {
        let mut rest = heard;
        while !rest.is_empty() {
            match self.engine.receive(rest) {
                Ok(count @ 1..) => rest = &rest[count..],
                _ => break,
            }
            // Nobody reads what comes.
            let mut scratch = [0; 1024];
            while self.engine.read(&mut scratch).is_ok_and(|count| count > 0) {}
        }
        if !self.engine.is_handshaking() {
            let _ = self.engine.write(&[b"some plain text"]);
        }
        let mut said = Vec::new();
        self.engine.transmit(&mut |pieces| said.extend(pieces.concat()));
        said
    }

    /// Cuts, changes, doubles, inserts.
    fn change(&mut self, mut said: Vec<u8>) -> Vec<u8> {
        let Some(what) = self.next() else { return said };
        let place = usize::from(self.next().unwrap_or(0)) * said.len().max(1) / 256;
        match what % 8 {
            0 if !said.is_empty() => said[place] ^= self.next().unwrap_or(1),
            1 => said.truncate(place),
            2 => said.extend_from_within(place..),
            3 => {
                let inserted: Vec<u8> = self.fuzz.by_ref().take(24).copied().collect();
                said.splice(place..place, inserted);
            }
            4 => said.clear(),
            // Mostly as it should be, so that later steps are reached.
            _ => {}
        }
        said
    }
}

/// A TLS connection whose other side says what `data` makes of what it should
/// say: it ends, in every case, with a typed error or in order; what was made is
/// lost once; and nothing panics. How many bytes came through; `None` when there
/// was no handshake.
pub fn tls_record(data: &[u8]) -> Option<usize> {
    let (first, fuzz) = data.split_first()?;
    let (client, server) = contexts();
    let is_client = first & 1 == 0;
    let engine = match is_client {
        true => server.server_engine(),
        false => client.client_engine("localhost"),
    };
    let mut peer = Peer { engine: engine.unwrap(), fuzz: fuzz.iter() };
    let backend = BACKEND.with(|backend| *backend);
    backend.reset();
    let event_loop = molen_core::test_loop!(backend).expect("a loop");
    let told = Rc::new(Told::default());
    let wire = Rc::new(Wire::default());
    let ran = event_loop.run_until_complete(async {
        let (above, source) = (Above(told.clone()), wire.clone());
        let connecting = create_task(async move {
            if is_client {
                return connect_tls(source, above, client, "localhost").await;
            }
            let raw = molen_core::net::connect_accepted_socket(source, Plain).await;
            // `connection_made` was the plain protocol's.
            above.0.made.set(1);
            start_tls_server_side(&raw.unwrap(), above, server).await
        })
        .unwrap();
        for _step in 0..12 {
            // Not long enough for any timeout.
            sleep(Duration::from_millis(1)).await;
            let heard = wire.outgoing.take();
            let said = peer.answer(&heard);
            let said = peer.change(said);
            match peer.next() {
                Some(cut @ 1..=64) => {
                    let (one, two) = said.split_at(usize::from(cut).min(said.len()));
                    wire.give(one);
                    sleep(Duration::from_millis(1)).await;
                    wire.give(two);
                }
                _ => wire.give(&said),
            }
        }
        if first & 2 == 0 {
            peer.engine.close_notify();
            let said = peer.answer(&[]);
            wire.give(&said);
        }
        wire.end();
        // It may have ended before this.
        let connected = connecting.await.expect("it is not cancelled");
        sleep(Duration::from_secs(100)).await;
        match connected {
            Ok(transport) => {
                assert!(transport.is_lost(), "it lives on");
                assert_eq!((told.made.get(), told.lost.get()), (1, 1));
            }
            // Nothing is told of a connection that never was.
            Err(_) => assert_eq!((told.lost.get(), told.data.get()), (0, 0)),
        }
    });
    ran.expect("the loop runs to the end");
    (told.lost.get() > 0).then(|| told.data.get())
}
