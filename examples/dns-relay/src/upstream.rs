//! Asking others.
//!
//! ```text
//!  ask ─▶ the first in order ──answer──────────────────────────────▶ done
//!           │        ▲ └─ too long for UDP ─▶ the same one by TCP ─▶ done
//!           │ late,  │
//!           │ nobody │ next in order, and round again
//!           ▼ there  │
//!         goes to the end of the order for a while ──all rounds──▶ nothing
//! ```
//!
//! Each question has a socket of its own, connected: its port is random, the
//! system lets nothing through but what comes from the upstream, and tells
//! when nobody listens there (ICMP). The question's number is random as well,
//! and the answer repeats the question. What does not fit all of that is
//! ignored, and the wait goes on: it may be somebody who guesses.

use crate::Limits;
use crate::relay::Question;
use crate::statistics::UpstreamStatistics;
use hickory_proto::op::{Edns, Message, MessageType, ResponseCode};
use molen::net::{UdpSocket, open_connection};
use molen::timeouts::timeout;
use molen::{Duration, Instant, current_time};
use std::cell::Cell;
use std::error::Error;
use std::net::SocketAddr;

/// How long answers by UDP may be (DNS flag day 2020).
pub const UDP_PAYLOAD: u16 = 1232;

/// How long an upstream that has failed is asked last.
const PENALTY: Duration = Duration::from_secs(10);

/// All whom to ask.
pub struct Upstreams {
    all: Vec<Upstream>,
    timeout: Duration,
    rounds: u32,
}

struct Upstream {
    address: SocketAddr,
    /// Until when others are asked first.
    last_until: Cell<Instant>,
    statistics: UpstreamStatistics,
}

/// Why an upstream has not answered.
enum Failure {
    TimedOut,
    Unreachable,
    /// It said that it cannot.
    Refused(Message),
}

impl Upstreams {
    pub fn new(addresses: &[SocketAddr], limits: &Limits) -> Upstreams {
        let upstream = |address: &SocketAddr| Upstream {
            address: *address,
            last_until: Cell::new(Instant::ZERO),
            statistics: UpstreamStatistics::default(),
        };
        Upstreams {
            all: addresses.iter().map(upstream).collect(),
            timeout: limits.timeout(),
            rounds: limits.rounds,
        }
    }

    /// Those that did not fail lately first, else as they were given.
    fn in_order(&self) -> Vec<&Upstream> {
        let now = current_time();
        let mut upstreams: Vec<&Upstream> = self.all.iter().collect();
        upstreams.sort_by_key(|upstream| {
            let until = upstream.last_until.get();
            (until > now).then_some(until)
        });
        upstreams
    }

    /// The first good answer; else one that says why there is none, if
    /// anybody said anything.
    ///
    /// # Cancellation
    ///
    /// What was asked is forgotten.
    pub async fn ask(&self, question: &Question) -> Option<Message> {
        let mut excuse = None;
        for _ in 0..self.rounds {
            for upstream in self.in_order() {
                match upstream.ask(question, self.timeout).await {
                    Ok(answer) => return Some(answer),
                    Err(failure) => {
                        upstream.last_until.set(current_time() + PENALTY);
                        if let Failure::Refused(answer) = failure {
                            excuse = Some(answer);
                        }
                    }
                }
            }
        }
        excuse
    }

    pub fn show(&self, text: &mut String) {
        for upstream in &self.all {
            upstream.statistics.show(text, upstream.address);
        }
    }
}

impl Upstream {
    async fn ask(&self, question: &Question, limit: Duration) -> Result<Message, Failure> {
        let statistics = &self.statistics;
        statistics.asked.count();
        let answer = match timeout(limit, self.exchange(question)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_reason)) => {
                statistics.unreachable.count();
                return Err(Failure::Unreachable);
            }
            Err(_elapsed) => {
                statistics.timed_out.count();
                return Err(Failure::TimedOut);
            }
        };
        match answer.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {
                statistics.answered.count();
                self.last_until.set(Instant::ZERO);
                Ok(answer)
            }
            _ => {
                statistics.refused.count();
                Err(Failure::Refused(answer))
            }
        }
    }

    async fn exchange(&self, question: &Question) -> Result<Message, Box<dyn Error>> {
        // With a number of its own, which is random.
        let mut asked = Message::query();
        asked.metadata.recursion_desired = true;
        asked.metadata.checking_disabled = question.checking_disabled;
        asked.add_query(question.query().clone());
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(question.dnssec_ok);
        asked.set_edns(edns);
        let bytes = asked.to_vec()?;
        let answer = self.by_udp(&asked, &bytes).await?;
        if !answer.metadata.truncation {
            return Ok(answer);
        }
        self.statistics.truncated.count();
        self.by_tcp(&asked, &bytes).await
    }

    async fn by_udp(&self, asked: &Message, bytes: &[u8]) -> Result<Message, Box<dyn Error>> {
        let socket = UdpSocket::connect(self.address)?;
        socket.send(bytes).await?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let length = socket.recv(&mut buffer).await?;
            match answer_to(asked, &buffer[..length]) {
                Some(answer) => return Ok(answer),
                None => self.statistics.strange.count(),
            }
        }
    }

    async fn by_tcp(&self, asked: &Message, bytes: &[u8]) -> Result<Message, Box<dyn Error>> {
        let (mut reader, writer) = open_connection(self.address).await?;
        writer.writelines(&[&u16::try_from(bytes.len())?.to_be_bytes(), bytes])?;
        let mut length = [0; 2];
        reader.readexactly(&mut length).await?;
        let mut buffer = vec![0; usize::from(u16::from_be_bytes(length))];
        reader.readexactly(&mut buffer).await?;
        answer_to(asked, &buffer).ok_or_else(|| {
            self.statistics.strange.count();
            "what came by TCP is no answer to the question".into()
        })
    }
}

/// What `bytes` say, if they answer what was asked.
fn answer_to(asked: &Message, bytes: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let fits = answer.metadata.id == asked.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.metadata.op_code == asked.metadata.op_code
        && answer.queries == asked.queries;
    fits.then_some(answer)
}
