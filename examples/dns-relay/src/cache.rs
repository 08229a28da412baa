//! What upstreams said, for as long as it holds, and no more of it than there
//! is room for.

use crate::relay::Question;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record};
use molen::{Duration, Instant};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Nothing is remembered for longer, whatever it says of itself.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

struct Entry {
    answer: Rc<Message>,
    since: Instant,
    /// Its place among those that run out.
    runs_out: (Instant, u64),
}

/// Answers by question.
pub struct Cache {
    entries: HashMap<Question, Entry>,
    by_end: BTreeMap<(Instant, u64), Question>,
    room: usize,
    next: u64,
}

impl Cache {
    pub fn new(room: usize) -> Cache {
        Cache { entries: HashMap::new(), by_end: BTreeMap::new(), room, next: 0 }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The answer to `question`, if it is known and holds, as old as it is now.
    pub fn get(&mut self, question: &Question, now: Instant) -> Option<Rc<Message>> {
        let entry = self.entries.get(question)?;
        if entry.runs_out.0 <= now {
            self.forget(question);
            return None;
        }
        let seconds = (now - entry.since).as_secs();
        let mut answer = (*entry.answer).clone();
        let sections = [&mut answer.answers, &mut answer.authorities, &mut answer.additionals];
        for record in sections.into_iter().flatten() {
            record.ttl = record.ttl.saturating_sub(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        Some(Rc::new(answer))
    }

    /// Remembers `answer`, if it says for how long.
    pub fn put(&mut self, question: Question, answer: Rc<Message>, now: Instant) {
        let Some(holds) = holds_for(&answer) else { return };
        self.forget(&question);
        while self.entries.len() >= self.room {
            let Some((_, soonest)) = self.by_end.pop_first() else { return };
            self.entries.remove(&soonest);
        }
        self.next += 1;
        let runs_out = (now + holds.min(LONGEST), self.next);
        self.by_end.insert(runs_out, question.clone());
        self.entries.insert(question, Entry { answer, since: now, runs_out });
    }

    fn forget(&mut self, question: &Question) {
        if let Some(entry) = self.entries.remove(question) {
            self.by_end.remove(&entry.runs_out);
        }
    }
}

/// For how long an answer holds: its shortest record. That there is nothing
/// holds as long as the zone says (RFC 2308, section 5).
fn holds_for(answer: &Message) -> Option<Duration> {
    let shortest = |records: &[Record]| records.iter().map(|record| record.ttl).min();
    let nothing = || {
        answer.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(zone) => Some(record.ttl.min(zone.minimum)),
            _ => None,
        })
    };
    let seconds = match answer.metadata.response_code {
        ResponseCode::NoError if !answer.answers.is_empty() => shortest(&answer.answers),
        ResponseCode::NoError | ResponseCode::NXDomain => nothing(),
        _ => None,
    };
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::{OpCode, Query};
    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{Name, RecordType};

    fn question(number: u8) -> Question {
        let name = Name::from_ascii(format!("n{number}.example.")).expect("a name");
        Question::of(Query::query(name, RecordType::A))
    }

    fn answer(question: &Question, ttl: u32) -> Rc<Message> {
        let mut answer = Message::response(1, OpCode::Query);
        let address = RData::A(A::new(192, 0, 2, 1));
        answer.add_answer(Record::from_rdata(question.query().name.clone(), ttl, address));
        Rc::new(answer)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn answers_grow_older_and_run_out() {
        let (mut cache, q) = (Cache::new(10), question(1));
        cache.put(q.clone(), answer(&q, 10), at(100));
        let ttl = |cache: &mut Cache, now| cache.get(&q, now).map(|answer| answer.answers[0].ttl);
        assert_eq!(ttl(&mut cache, at(100)), Some(10));
        assert_eq!(ttl(&mut cache, at(109)), Some(1));
        assert_eq!(ttl(&mut cache, at(110)), None);
        assert_eq!((cache.len(), cache.by_end.len()), (0, 0));
        cache.put(q.clone(), answer(&q, 0), at(100));
        assert_eq!(cache.len(), 0, "what holds for no time is not remembered");
    }

    #[test]
    fn what_runs_out_first_makes_room() {
        let mut cache = Cache::new(3);
        for (number, ttl) in [(1, 30), (2, 10), (3, 20), (4, 40), (4, 40)] {
            let q = question(number);
            cache.put(q.clone(), answer(&q, ttl), at(0));
        }
        let left: Vec<u8> = (1..=4).filter(|n| cache.get(&question(*n), at(1)).is_some()).collect();
        assert_eq!(left, [1, 3, 4]);
        assert_eq!(cache.by_end.len(), 3);
        Cache::new(0).put(question(1), answer(&question(1), 10), at(0));
    }

    #[test]
    fn that_there_is_nothing_is_remembered_only_if_the_zone_says_for_how_long() {
        let (mut cache, q) = (Cache::new(10), question(1));
        let mut nothing = Message::response(1, OpCode::Query);
        nothing.metadata.response_code = ResponseCode::NXDomain;
        cache.put(q.clone(), Rc::new(nothing.clone()), at(0));
        assert_eq!(cache.len(), 0);
        let zone = Name::from_ascii("example.").expect("a name");
        let soa = hickory_proto::rr::rdata::SOA::new(zone.clone(), zone.clone(), 1, 1, 1, 1, 7);
        nothing.add_authority(Record::from_rdata(zone, 3600, RData::SOA(soa)));
        cache.put(q.clone(), Rc::new(nothing), at(0));
        assert!(cache.get(&q, at(6)).is_some() && cache.get(&q, at(7)).is_none());
    }
}
