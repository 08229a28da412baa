//! A listener at which a case opens the connections.

use crate::wire::batches;
use core::cell::RefCell;
use core::net::{Ipv4Addr, SocketAddr};
use core::task::{Context, Poll};
use molen::io::source::{AcceptSource, End, Source, SourceError};
use molen::io::{Interest, Ready, Registration};
use molen::testing::{FaultSource, FaultUser, Told};
use std::collections::VecDeque;
use std::rc::Rc;

type Next = Result<FaultUser, SourceError>;

/// Where connections come from.
#[derive(Clone, Default)]
pub(crate) struct Door(Rc<Shared>);

#[derive(Default)]
struct Shared {
    registration: Registration,
    next: RefCell<VecDeque<Next>>,
}

/// The listener; dropping it closes the door.
pub(crate) struct DoorListener(Door);

impl Door {
    pub(crate) fn new() -> Door {
        Door::default()
    }

    pub(crate) fn listener(&self) -> DoorListener {
        DoorListener(self.clone())
    }

    /// A connection comes.
    pub(crate) fn open(&self, source: &'static FaultSource) {
        self.come(Ok(source.user(Told::ByEvents)));
    }

    /// A connection comes that has to share its source's one place for a listener.
    pub(crate) fn open_waiting(&self, source: &'static FaultSource) {
        self.come(Ok(source.user(Told::ByWaiting)));
    }

    /// Accepting fails.
    pub(crate) fn fail(&self, error: SourceError) {
        self.come(Err(error));
    }

    fn come(&self, next: Next) {
        self.0.next.borrow_mut().push_back(next);
        self.0.registration.set_ready(Ready::READABLE);
    }

    /// Whether a listener is left.
    pub(crate) fn is_open(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// How many connections wait to be accepted.
    pub(crate) fn waiting(&self) -> usize {
        self.0.next.borrow().len()
    }
}

/// Time for a server to accept, and for the protocol to be told.
pub(crate) async fn accepted() {
    batches(4).await;
}

impl Source for DoorListener {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.0.registration.poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        (end == End::Local).then_some(SocketAddr::from((Ipv4Addr::LOCALHOST, 7)))
    }
}

impl AcceptSource for DoorListener {
    type Connection = FaultUser;

    fn try_accept(&self) -> Result<FaultUser, SourceError> {
        let next = self.0.0.next.borrow_mut().pop_front();
        next.unwrap_or_else(|| {
            self.0.0.registration.clear(Ready::READABLE);
            Err(SourceError::WouldBlock)
        })
    }
}
