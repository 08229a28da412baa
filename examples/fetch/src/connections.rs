//! Connections, kept for the next request to the same place.

use crate::failure::Failure;
use molen::net::{StreamReader, StreamWriter, open_connection};
use molen::tls::ClientContext;
use molen::{Duration, Lock, Semaphore, to_thread};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use url::{Host, Url};

/// Where a request goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Scheme {
    Http,
    Https,
}

impl Origin {
    /// Of what can be fetched.
    ///
    /// # Errors
    ///
    /// [`Failure`]: it is of another protocol, or has more in it than is sent.
    pub fn of(url: &Url) -> Result<Origin, Failure> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(Failure::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::Credentials);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Failure::NotAUrl(url::ParseError::EmptyHost)),
        };
        // Both schemes have a known port.
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Origin { scheme, host, port })
    }
}

/// A connection with nothing under way.
pub struct Connection {
    pub reader: StreamReader,
    pub writer: StreamWriter,
    /// Whether a request has been answered on it.
    pub used: bool,
}

impl Connection {
    /// Whether the other side has neither ended it nor said what it was not asked.
    fn is_fit(&self) -> bool {
        !self.writer.is_closing() && !self.reader.at_eof() && self.reader.exception().is_none()
    }
}

/// All connections, by where they lead.
pub struct Connections {
    places: RefCell<HashMap<Origin, Rc<Place>>>,
    per_host: usize,
    connect_timeout: Duration,
    /// Certificates to trust, if not the system's.
    roots: Option<Vec<u8>>,
    tls_context: Lock<Option<ClientContext>>,
}

/// What belongs to one origin.
struct Place {
    permits: Semaphore,
    idle: RefCell<Vec<Connection>>,
}

impl Connections {
    /// None yet. Servers are verified by `roots`, certificates as PEM, or by the system's.
    pub fn new(per_host: usize, connect_timeout: Duration, roots: Option<Vec<u8>>) -> Connections {
        let (places, tls_context) = (RefCell::default(), Lock::with_value(None));
        Connections { places, per_host, connect_timeout, roots, tls_context }
    }

    fn place(&self, origin: &Origin) -> Rc<Place> {
        let mut places = self.places.borrow_mut();
        let place = places.entry(origin.clone()).or_insert_with(|| {
            let permits = Semaphore::new(self.per_host);
            Rc::new(Place { permits, idle: RefCell::default() })
        });
        place.clone()
    }

    /// Runs `work` when there are not too many at work with `origin` already.
    ///
    /// # Cancellation
    ///
    /// The place in the line is given up, or `work` dropped.
    pub async fn in_turn<R>(&self, origin: &Origin, work: impl Future<Output = R>) -> R {
        let place = self.place(origin);
        let _permit = place.permits.acquire().await;
        work.await
    }

    /// A connection that was used before, if one is left.
    pub fn used(&self, origin: &Origin) -> Option<Connection> {
        let place = self.place(origin);
        let mut idle = place.idle.borrow_mut();
        // The latest first: it is the least likely to have been given up.
        std::iter::from_fn(|| idle.pop()).find(Connection::is_fit)
    }

    /// A new connection.
    ///
    /// # Errors
    ///
    /// [`Failure::Connect`], [`Failure::Tls`].
    ///
    /// # Cancellation
    ///
    /// The attempt is given up.
    pub async fn open(&self, origin: &Origin) -> Result<Connection, Failure> {
        let to = (&*origin.host, origin.port);
        let connect = open_connection(to).timeout(self.connect_timeout);
        let connect = match origin.scheme {
            Scheme::Http => connect,
            Scheme::Https => connect.tls(&self.tls_context().await?),
        };
        let (reader, writer) = connect.await.map_err(Failure::Connect)?;
        Ok(Connection { reader, writer, used: false })
    }

    /// Whom servers must be known to; made when it is first needed, as the system may have hundreds.
    async fn tls_context(&self) -> Result<ClientContext, Failure> {
        let mut known = self.tls_context.acquire().await;
        if known.is_none() {
            let roots = self.roots.clone();
            let make = move || match roots {
                None => ClientContext::new(),
                Some(pem) => ClientContext::with_roots_pem(pem),
            };
            let made = to_thread(make).await.map_err(|error| Failure::Writer(error.to_string()))?;
            *known = Some(made.map_err(Failure::Tls)?.alpn(&["http/1.1"]));
        }
        known.clone().ok_or(Failure::Closed)
    }

    /// Keeps `connection` for the next request.
    pub fn keep(&self, origin: &Origin, mut connection: Connection) {
        connection.used = true;
        if connection.is_fit() {
            self.place(origin).idle.borrow_mut().push(connection);
        }
    }
}
