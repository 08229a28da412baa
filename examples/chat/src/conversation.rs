//! One client, from its greeting to its end.

use crate::LONGEST_LINE;
use crate::hall::{FIRST_ROOM, Hall, Seat};
use crate::request::{HELP, Request, request};
use molen::net::{ReadError, StreamReader, StreamWriter};
use molen::timeouts::timeout;
use molen::{Duration, Instant, current_time, sleep};
use std::rc::Rc;

/// How many names are told in one line.
const NAMES_IN_A_LINE: usize = 10;

/// How many times a second's lines a client may say at once.
const BURST: u32 = 5;

/// Talks with one client until it goes, or is left.
pub async fn converse(hall: Rc<Hall>, mut reader: StreamReader, writer: StreamWriter) {
    let Some(seat) = hall.enter(writer.transport()) else {
        // It goes when it has read this: dropping the writer closes.
        let _ = writer.write(b"* The hall is full. Come again.\r\n");
        return;
    };
    let member = &seat.member;
    let greeting = format!("* Welcome to {FIRST_ROOM}, {}. /help tells more.", member.name());
    hall.tell(member, &greeting);
    let idle = Duration::from_secs(hall.limits.idle);
    let mut pace = Pace::new(hall.limits.rate);
    loop {
        let line = match timeout(idle, reader.readline()).await {
            Ok(Ok(line)) if line.ends_with(b"\n") => line,
            Ok(Err(ReadError::LimitOverrun { .. })) => {
                hall.tell(member, &format!("* Lines have up to {LONGEST_LINE} bytes."));
                continue;
            }
            // The end, perhaps in the middle of a line, or a connection that broke.
            Ok(_) => return,
            Err(_elapsed) => {
                hall.tell(member, &format!("* Nothing for {} s. Goodbye.", idle.as_secs()));
                return;
            }
        };
        if !obey(request(&line), &hall, &seat) {
            return;
        }
        // While this waits nothing is read: soon the client cannot write either.
        pace.wait().await;
    }
}

/// Does what was asked for; whether the conversation goes on.
fn obey(request: Request, hall: &Hall, seat: &Seat) -> bool {
    let member = &seat.member;
    match request {
        Request::Say(text) => {
            hall.tell_room(&member.room(), Some(member), &format!("<{}> {text}", member.name()));
        }
        Request::Act(text) => {
            hall.tell_room(&member.room(), None, &format!("* {} {text}", member.name()));
        }
        Request::Tell(name, text) => match hall.by_name(&name) {
            Some(other) => hall.tell(&other, &format!("[{}] {text}", member.name())),
            None => hall.tell(member, &format!("* {name} is not here.")),
        },
        Request::Name(name) => {
            if !hall.rename(member, &name) {
                hall.tell(member, &format!("* {name} is somebody else."));
            }
        }
        Request::Join(room) => {
            hall.change_room(member, &room);
            tell_who(hall, seat, &room);
        }
        Request::Who(room) => tell_who(hall, seat, &room.unwrap_or_else(|| member.room())),
        Request::Rooms => {
            for (room, count) in hall.rooms() {
                hall.tell(member, &format!("* {room}: {count}"));
            }
        }
        Request::Help => HELP.iter().for_each(|line| hall.tell(member, line)),
        Request::Nothing => {}
        Request::Refused(why) => hall.tell(member, &format!("* {why}")),
        Request::Quit => {
            hall.tell(member, "* Goodbye.");
            return false;
        }
    }
    true
}

fn tell_who(hall: &Hall, seat: &Seat, room: &str) {
    let names = hall.who(room);
    hall.tell(&seat.member, &format!("* {room}: {} here", names.len()));
    for names in names.chunks(NAMES_IN_A_LINE) {
        hall.tell(&seat.member, &format!("*   {}", names.join(", ")));
    }
}

/// Holds a client to so many lines a second.
struct Pace {
    each: Duration,
    burst: Duration,
    /// When what was said would have been said at an even pace.
    even: Instant,
}

impl Pace {
    fn new(rate: u32) -> Pace {
        let each = Duration::from_secs(1) / rate.max(1);
        Pace { each, burst: each * (rate.max(1) * BURST), even: Instant::ZERO }
    }

    /// Counts a line, and waits if there were too many.
    async fn wait(&mut self) {
        let now = current_time();
        self.even = self.even.max(now) + self.each;
        let ahead = self.even - now;
        if ahead > self.burst {
            sleep(ahead - self.burst).await;
        }
    }
}
