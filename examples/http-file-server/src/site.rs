//! What all connections share; how the server starts and how it ends.
//!
//! ```text
//!  serving ── Ctrl-C, SIGTERM ──▶ closing ── all gone, or time is over ──▶ over
//!              listeners closed,     │ requests under way are answered
//!              idle clients left     │ with `Connection: close`
//! ```

use crate::access_log::AccessLog;
use crate::answer::Folder;
use crate::connection;
use crate::input::Limits;
use crate::options::Options;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use molen::net::{Server, start_server, start_unix_server};
use molen::signals::{self, Signal};
use molen::timeouts::timeout;
use molen::tls::{ServerContext, TlsError};
use molen::{Event, catch_cancel, create_task, join_all};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

/// How many clients may wait to be accepted: a crowd comes at once.
const BACKLOG: u32 = 1024;

/// What asks the server to end, beside Ctrl-C.
#[cfg(unix)]
const ENDING: &[Signal] = &[Signal::TERM];
#[cfg(windows)]
const ENDING: &[Signal] = &[Signal::BREAK];

/// What all connections share.
pub struct Site {
    pub options: Options,
    pub folder: Arc<Folder>,
    pub log: AccessLog,
    /// Set when the server is about to end.
    pub closing: Event,
    connections: Cell<usize>,
}

impl Site {
    /// Counts a connection for as long as the answer lives; none is left above the limit.
    pub fn enter(self: &Rc<Site>) -> Option<Place> {
        if self.connections.get() >= self.options.max_connections.get() {
            return None;
        }
        self.connections.set(self.connections.get() + 1);
        Some(Place(self.clone()))
    }

    /// What a client may not exceed.
    pub fn limits(&self) -> Limits {
        Limits {
            head: self.options.max_header,
            header_timeout: self.options.header_timeout,
            idle_timeout: self.options.idle_timeout,
        }
    }
}

/// A connection that counts.
pub struct Place(Rc<Site>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get() - 1);
    }
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Cancellation
///
/// Caught: it is the Ctrl-C that ends it in an orderly way.
pub async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let shown = options.folder.display().to_string();
    let root = Dir::open_ambient_dir(&options.folder, ambient_authority())
        .map_err(|error| format!("cannot open the folder {shown}: {error}"))?;
    let folder = Folder { root, list: options.list, hidden: options.hidden };
    let site = Rc::new(Site {
        log: AccessLog::new(!options.quiet),
        folder: Arc::new(folder),
        closing: Event::new(),
        connections: Cell::new(0),
        options,
    });
    let servers = listen(&site).await?;
    let scheme = if site.options.tls_cert.is_some() { "https" } else { "http" };
    for address in servers.iter().flat_map(Server::addresses) {
        say(format_args!("{shown} is at {scheme}://{address}/"));
    }
    if let Some(path) = &site.options.unix {
        say(format_args!("{shown} is at the Unix socket {}", path.display()));
    }
    let logging = create_task({
        let site = site.clone();
        async move { site.log.write().await }
    })?;
    // A Ctrl-C cancels, which is caught here.
    if let Ok(asked) = catch_cancel(signals::wait(ENDING)).await {
        asked?;
    }
    end(&site, &servers).await;
    site.log.close();
    logging.await?;
    Ok(())
}

async fn listen(site: &Rc<Site>) -> Result<Vec<Server>, Box<dyn Error>> {
    let shared = site.clone();
    let handler = move |reader, writer| connection::serve(reader, writer, shared.clone());
    let mut servers = Vec::new();
    let addresses: Vec<&str> = site.options.listen.iter().map(|address| &**address).collect();
    if !addresses.is_empty() {
        let server = start_server(&*addresses, handler.clone()).backlog(BACKLOG);
        let server = match tls_context(&site.options)? {
            Some(context) => server.tls(&context).handshake_timeout(site.options.header_timeout),
            None => server,
        };
        servers.push(server.await?);
    }
    if let Some(path) = &site.options.unix {
        servers.push(start_unix_server(path, handler).backlog(BACKLOG).await?);
    }
    Ok(servers)
}

/// What is shown to clients, if it is to be HTTPS.
fn tls_context(options: &Options) -> Result<Option<ServerContext>, TlsError> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => {
            let context = ServerContext::from_pem_files(certificate, key)?;
            Ok(Some(context.alpn(&["http/1.1"])))
        }
        _ => Ok(None),
    }
}

/// Lets requests that are being answered finish, but not for ever.
async fn end(site: &Site, servers: &[Server]) {
    servers.iter().for_each(Server::close);
    site.closing.set();
    let left = || servers.iter().map(Server::client_count).sum::<usize>();
    let limit = site.options.shutdown_timeout;
    if left() > 0 {
        eprintln!(
            "http-file-server: ending; {} connections may finish within {} s",
            left(),
            limit.as_secs_f64()
        );
    }
    let closed = join_all(servers.iter().map(Server::wait_closed));
    if timeout(limit, closed).await.is_err() {
        eprintln!("http-file-server: {} connections are broken off", left());
        servers.iter().for_each(Server::abort_clients);
        join_all(servers.iter().map(Server::wait_closed)).await;
    }
}

/// Says `what` to whoever reads the standard output. A server goes on if nobody does.
fn say(what: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "http-file-server: {what}");
}
