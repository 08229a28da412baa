//! What becomes of a question.
//!
//! ```text
//!  bytes ─▶ take ─┬─ nonsense, or too many ──▶ nothing, or a refusal
//!                 ├─ remembered ────────────▶ the answer, at once
//!                 └─ to be asked ─▶ ask ─┬─ asked already ─▶ that answer, when it is there
//!                                        └─ Upstreams::ask ─▶ the answer, which is remembered
//! ```

use crate::Limits;
use crate::cache::Cache;
use crate::pace::Pace;
use crate::statistics::Statistics;
use crate::upstream::{UDP_PAYLOAD, Upstreams};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::RecordType;
use molen::sync::OwnedPermit;
use molen::{Promise, Semaphore, create_task, current_time};
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// What a message of DNS begins with.
const HEADER: usize = 12;

/// How long an answer by UDP may be when the client does not say.
const SHORT_PAYLOAD: u16 = 512;

/// What is asked for: two clients whose questions are equal get one answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Question {
    query: Query,
    /// The client wants signatures.
    pub dnssec_ok: bool,
    /// The client checks them itself.
    pub checking_disabled: bool,
}

impl Question {
    #[cfg(test)]
    pub fn of(query: Query) -> Question {
        Question { query, dnssec_ok: false, checking_disabled: false }
    }

    pub fn query(&self) -> &Query {
        &self.query
    }
}

/// By what a question came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    Udp,
    Tcp,
}

/// A question with what its answer must be like.
pub struct Request {
    pub question: Question,
    message: Message,
    door: Door,
}

/// What is to be done with something that came.
pub enum Taken {
    /// Nothing.
    Dropped,
    /// This is sent back.
    Answered(Vec<u8>),
    /// Others have to be asked.
    ToAsk(Box<Request>),
}

/// Whoever waits for an answer; `None`: there is none.
type Awaited = Rc<Promise<Option<Rc<Message>>>>;

pub struct Relay {
    pub limits: Limits,
    upstreams: Upstreams,
    cache: RefCell<Cache>,
    asking: RefCell<HashMap<Question, Awaited>>,
    places: Rc<Semaphore>,
    pace: RefCell<Pace>,
    statistics: Statistics,
}

impl Relay {
    pub fn new(upstreams: &[SocketAddr], limits: Limits) -> Rc<Relay> {
        Rc::new(Relay {
            upstreams: Upstreams::new(upstreams, &limits),
            cache: RefCell::new(Cache::new(limits.cache)),
            asking: RefCell::new(HashMap::new()),
            places: Rc::new(Semaphore::new(limits.in_flight)),
            pace: RefCell::new(Pace::new(limits.rate)),
            statistics: Statistics::default(),
            limits,
        })
    }

    pub fn statistics(&self) -> String {
        let mut text = self.statistics.show(self.cache.borrow().len());
        self.upstreams.show(&mut text);
        text
    }

    /// Takes in what a client has sent.
    pub fn take(&self, bytes: &[u8], client: IpAddr, door: Door) -> Taken {
        let now = current_time();
        if !self.pace.borrow_mut().allows(client, now) {
            self.statistics.dropped.count();
            return Taken::Dropped;
        }
        let request = match understand(bytes, door) {
            Ok(request) => request,
            Err(refusal) => {
                self.statistics.nonsense.count();
                return refusal.map_or(Taken::Dropped, Taken::Answered);
            }
        };
        self.statistics.questions.count();
        if door == Door::Tcp {
            self.statistics.by_tcp.count();
        }
        let known = self.cache.borrow_mut().get(&request.question, now);
        match known.map(|answer| request.answer(&answer)) {
            Some(bytes) => {
                self.statistics.remembered.count();
                Taken::Answered(bytes)
            }
            None => Taken::ToAsk(Box::new(request)),
        }
    }

    /// Asks others, or waits for the answer if they are being asked.
    ///
    /// # Cancellation
    ///
    /// The question goes on, for others and for the cache.
    pub async fn ask(self: &Rc<Relay>, request: &Request) -> Vec<u8> {
        let asked_already = self.asking.borrow().get(&request.question).cloned();
        let awaited = match asked_already {
            Some(awaited) => {
                self.statistics.shared.count();
                Some(awaited)
            }
            None => self.begin(&request.question),
        };
        let answer = match awaited {
            Some(awaited) => awaited.wait().await.ok().flatten(),
            None => None,
        };
        match answer {
            Some(answer) => request.answer(&answer),
            None => {
                self.statistics.failed.count();
                request.refuse(ResponseCode::ServFail)
            }
        }
    }

    /// Begins to ask; `None` when too much is being asked.
    fn begin(self: &Rc<Relay>, question: &Question) -> Option<Awaited> {
        let Some(place) = self.places.try_acquire_owned() else {
            self.statistics.overloaded.count();
            return None;
        };
        let awaited: Awaited = Rc::new(Promise::new());
        self.asking.borrow_mut().insert(question.clone(), awaited.clone());
        let asking =
            Asking { relay: self.clone(), question: question.clone(), awaited, _place: place };
        let awaited = asking.awaited.clone();
        // Refused by a loop that closes: then it is dropped, which ends the wait.
        if let Ok(task) = create_task(asking.ask_and_tell()) {
            task.detach();
        }
        Some(awaited)
    }
}

/// A question that is being asked; however that ends, others learn of it.
struct Asking {
    relay: Rc<Relay>,
    question: Question,
    awaited: Awaited,
    _place: OwnedPermit,
}

impl Asking {
    async fn ask_and_tell(self) {
        let answer = self.relay.upstreams.ask(&self.question).await.map(Rc::new);
        if let Some(answer) = &answer {
            let mut cache = self.relay.cache.borrow_mut();
            cache.put(self.question.clone(), answer.clone(), current_time());
        }
        // Nobody but this sets it.
        let _ = self.awaited.set_result(answer);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.relay.asking.borrow_mut().remove(&self.question);
        // It does nothing when there is an answer.
        self.awaited.cancel();
    }
}

/// What somebody asks; or what to send back instead, if anything.
fn understand(bytes: &[u8], door: Door) -> Result<Request, Option<Vec<u8>>> {
    let message = match Message::from_vec(bytes) {
        Ok(message) => message,
        Err(_) => {
            let id = bytes.first_chunk().filter(|_| bytes.len() >= HEADER && !is_response(bytes));
            let refusal = id.map(|id| {
                let id = u16::from_be_bytes(*id);
                Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec()
            });
            return Err(refusal.and_then(Result::ok));
        }
    };
    // To answer answers would be a loop, if others do it too.
    if message.metadata.message_type == MessageType::Response {
        return Err(None);
    }
    let refuse = |code| Err(refusal(&message, code).to_vec().ok());
    if message.metadata.op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp);
    }
    let [query] = &*message.queries else {
        return refuse(ResponseCode::FormErr);
    };
    // Whole zones come in many messages.
    if matches!(query.query_type, RecordType::AXFR | RecordType::IXFR) {
        return refuse(ResponseCode::NotImp);
    }
    let question = Question {
        query: query.clone(),
        dnssec_ok: message.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok),
        checking_disabled: message.metadata.checking_disabled,
    };
    Ok(Request { question, message, door })
}

/// Whether the bit QR of the header is set.
fn is_response(bytes: &[u8]) -> bool {
    bytes.get(2).is_some_and(|flags| flags & 0x80 != 0)
}

/// An answer to `asked` with nothing in it.
fn refusal(asked: &Message, code: ResponseCode) -> Message {
    let mut answer = Message::error_msg(asked.metadata.id, asked.metadata.op_code, code);
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.metadata.checking_disabled = asked.metadata.checking_disabled;
    // As they were asked, in capitals or not.
    answer.add_queries(asked.queries.iter().cloned());
    if let Some(edns) = &asked.edns {
        let mut ours = Edns::new();
        ours.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(edns.flags().dnssec_ok);
        answer.set_edns(ours);
    }
    answer
}

impl Request {
    /// `answer`, as this client can take it.
    fn answer(&self, answer: &Message) -> Vec<u8> {
        let mut ours = refusal(&self.message, answer.metadata.response_code);
        ours.metadata.authentic_data = answer.metadata.authentic_data;
        ours.insert_answers(answer.answers.clone());
        ours.insert_authorities(answer.authorities.clone());
        ours.insert_additionals(answer.additionals.clone());
        let room = match (self.door, &self.message.edns) {
            (Door::Tcp, _) => usize::from(u16::MAX),
            (Door::Udp, Some(edns)) => edns.max_payload().clamp(SHORT_PAYLOAD, UDP_PAYLOAD).into(),
            (Door::Udp, None) => SHORT_PAYLOAD.into(),
        };
        match ours.to_vec() {
            Ok(bytes) if bytes.len() <= room => bytes,
            Ok(_too_long) => ours.truncate().to_vec().unwrap_or_default(),
            Err(_) => self.refuse(ResponseCode::ServFail),
        }
    }

    fn refuse(&self, code: ResponseCode) -> Vec<u8> {
        refusal(&self.message, code).to_vec().unwrap_or_default()
    }
}
