//! One client: request after request.
//!
//! ```text
//!  ┌▶ next head ─▶ answer, on a thread ─▶ send ─▶ log ─┐
//!  └────────────────── keep-alive ─────────────────────┤
//!                                                      ▼ close, refused, slow
//!                              write_eof ─▶ discard ─▶ close
//! ```
//!
//! Requests that come together are answered one after the other, in their order.

use crate::access_log::Entry;
use crate::input::{Input, Next};
use crate::output::{Gone, Output, Send};
use crate::request::{Connection, Method, Request};
use crate::response::{Response, Status};
use crate::site::Site;
use molen::net::{StreamReader, StreamWriter};
use molen::timeouts::timeout;
use molen::{Duration, Instant, current_time, to_thread};
use std::net::SocketAddr;
use std::rc::Rc;

/// How long a client that was sent its last answer may go on talking.
const LINGER: Duration = Duration::from_secs(2);

/// As long may one of those above the limit of connections.
const LINGER_OF_REFUSED: Duration = Duration::from_millis(100);

/// Serves a client until it or the server has enough.
pub async fn serve(reader: StreamReader, writer: StreamWriter, site: Rc<Site>) {
    let peer = writer.peer_address();
    let output = Output::new(writer, site.options.write_timeout);
    let client = Client { site: &site, output: &output, peer };
    let mut input = Input::new(reader, site.limits());
    let Some(_place) = site.enter() else {
        let refused = Response::of_status(Status::ServiceUnavailable).with("Retry-After", 1);
        if client.refuse(refused).await.is_ok() && output.end() {
            // Not for long: those above the limit must cost little.
            let _ = timeout(LINGER_OF_REFUSED, input.discard()).await;
        }
        return;
    };
    match client.converse(&mut input).await {
        Ok(Farewell::Linger) => {
            // Closing with something unread would take from the client what it was sent.
            if output.end() {
                let _ = timeout(LINGER, input.discard()).await;
            }
            output.close().await;
        }
        Ok(Farewell::Close) => output.close().await,
        Err(Gone) => {}
    }
}

/// How a connection is closed.
enum Farewell {
    /// At once: nothing is on its way.
    Close,
    /// When the client has the last answer, as it may still be sending.
    Linger,
}

struct Client<'a> {
    site: &'a Site,
    output: &'a Output,
    peer: Option<SocketAddr>,
}

impl Client<'_> {
    /// Answers until one side has enough.
    async fn converse(&self, input: &mut Input) -> Result<Farewell, Gone> {
        loop {
            let refused = match input.next(&self.site.closing).await {
                Next::Head(head) => match Request::parse(&head) {
                    Ok(request) => match self.answer(request).await? {
                        Connection::KeepAlive => continue,
                        Connection::Close => return Ok(Farewell::Linger),
                    },
                    Err(status) => status,
                },
                Next::End | Next::Idle | Next::Closing => return Ok(Farewell::Close),
                Next::TooSlow => Status::RequestTimeout,
                Next::LineTooLong => Status::TargetTooLong,
                Next::HeadTooLong => Status::HeaderTooLarge,
            };
            self.refuse(Response::of_status(refused)).await?;
            return Ok(Farewell::Linger);
        }
    }

    /// Answers what could not be understood; the connection is to be closed.
    async fn refuse(&self, response: Response) -> Result<(), Gone> {
        let head = response.head(Connection::Close);
        self.send(None, current_time(), &head, response, Send::All).await
    }

    async fn answer(&self, request: Request) -> Result<Connection, Gone> {
        let began = current_time();
        let folder = self.site.folder.clone();
        let answered = to_thread(move || {
            let response = folder.answer(&request);
            (request, response)
        });
        // Refused only by a loop that is about to end.
        let (request, response) = answered.await.map_err(|_refused| Gone)?;
        let connection = if request.has_body || self.site.closing.is_set() {
            Connection::Close
        } else {
            request.connection
        };
        let head = response.head(connection);
        let body = if request.method == Method::Head { Send::HeadOnly } else { Send::All };
        self.send(Some(&request), began, &head, response, body).await?;
        Ok(connection)
    }

    async fn send(
        &self,
        request: Option<&Request>,
        began: Instant,
        head: &str,
        response: Response,
        body: Send,
    ) -> Result<(), Gone> {
        let status = response.status;
        let length = if body == Send::HeadOnly { 0 } else { response.body.len() };
        let sent = self.output.send(head, response, body).await;
        let took = current_time().saturating_since(began);
        let complete = sent.is_ok();
        self.site.log.line(&Entry { peer: self.peer, request, status, length, complete, took });
        sent
    }
}
