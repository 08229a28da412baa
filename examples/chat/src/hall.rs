//! Who is there, and telling them something.
//!
//! Nothing here waits. What is told goes to a client's socket, or waits in its
//! transport's buffer; a client for which too much waits is left at once,
//! because everything that is said in its room would go on piling up there.

use crate::Limits;
use molen::net::Transport;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The room that clients come into.
pub const FIRST_ROOM: &str = "lobby";

/// Everybody who is there.
pub struct Hall {
    pub limits: Limits,
    /// By the order in which they came.
    members: RefCell<BTreeMap<u64, Rc<Member>>>,
    next: Cell<u64>,
}

/// A client who is there.
pub struct Member {
    number: u64,
    transport: Transport,
    name: RefCell<String>,
    room: RefCell<String>,
    /// More waited for it than may.
    too_slow: Cell<bool>,
}

impl Member {
    pub fn name(&self) -> String {
        self.name.borrow().clone()
    }

    pub fn room(&self) -> String {
        self.room.borrow().clone()
    }

    pub fn is_too_slow(&self) -> bool {
        self.too_slow.get()
    }
}

/// Somebody's place in the hall, until this is dropped.
pub struct Seat {
    hall: Rc<Hall>,
    pub member: Rc<Member>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hall.members.borrow_mut().remove(&self.member.number);
        let why = if self.member.is_too_slow() { "is left: too slow" } else { "has left" };
        let news = format!("* {} {why}", self.member.name());
        self.hall.tell_room(&self.member.room(), None, &news);
    }
}

impl Hall {
    pub fn new(limits: Limits) -> Hall {
        Hall { limits, members: RefCell::new(BTreeMap::new()), next: Cell::new(1) }
    }

    /// Gives a client a place and a name; `None` when there are too many.
    pub fn enter(self: &Rc<Hall>, transport: &Transport) -> Option<Seat> {
        if self.members.borrow().len() >= self.limits.clients.get() {
            return None;
        }
        let number = self.next.get();
        self.next.set(number + 1);
        let mut name = format!("guest{number}");
        while self.by_name(&name).is_some() {
            name.push('_');
        }
        let member = Rc::new(Member {
            number,
            transport: transport.clone(),
            name: RefCell::new(name),
            room: RefCell::new(FIRST_ROOM.into()),
            too_slow: Cell::new(false),
        });
        self.tell_room(FIRST_ROOM, None, &format!("* {} is here", member.name()));
        self.members.borrow_mut().insert(number, member.clone());
        Some(Seat { hall: self.clone(), member })
    }

    /// Whoever has this name, in capitals or not.
    pub fn by_name(&self, name: &str) -> Option<Rc<Member>> {
        let members = self.members.borrow();
        members.values().find(|member| member.name.borrow().eq_ignore_ascii_case(name)).cloned()
    }

    /// The names of those in `room`.
    pub fn who(&self, room: &str) -> Vec<String> {
        let members = self.members.borrow();
        members.values().filter(|member| *member.room.borrow() == room).map(|m| m.name()).collect()
    }

    /// The rooms that somebody is in, and how many are.
    pub fn rooms(&self) -> BTreeMap<String, usize> {
        let mut rooms = BTreeMap::new();
        for member in self.members.borrow().values() {
            *rooms.entry(member.room()).or_default() += 1;
        }
        rooms
    }

    /// Gives `member` another name; whether it was free.
    pub fn rename(&self, member: &Rc<Member>, name: &str) -> bool {
        if self.by_name(name).is_some_and(|other| !Rc::ptr_eq(&other, member)) {
            return false;
        }
        let before = member.name.replace(name.to_owned());
        self.tell_room(&member.room(), None, &format!("* {before} is now {name}"));
        true
    }

    /// Moves `member` to `room`.
    pub fn change_room(&self, member: &Rc<Member>, room: &str) {
        let before = member.room();
        self.tell_room(&before, Some(member), &format!("* {} goes to {room}", member.name()));
        self.tell_room(room, Some(member), &format!("* {} is here", member.name()));
        member.room.replace(room.to_owned());
    }

    /// Tells everybody in `room`, but `except`.
    pub fn tell_room(&self, room: &str, except: Option<&Rc<Member>>, line: &str) {
        for member in self.members.borrow().values() {
            let excepted = except.is_some_and(|except| Rc::ptr_eq(except, member));
            if !excepted && *member.room.borrow() == room {
                self.tell(member, line);
            }
        }
    }

    pub fn tell_everybody(&self, line: &str) {
        for member in self.members.borrow().values() {
            self.tell(member, line);
        }
    }

    /// Tells one client, or leaves it if it does not read.
    pub fn tell(&self, member: &Member, line: &str) {
        // A client that is gone loses it; its conversation finds out.
        let _ = member.transport.writelines(&[line.as_bytes(), b"\r\n"]);
        if member.transport.get_write_buffer_size() > self.limits.unread {
            member.too_slow.set(true);
            member.transport.abort();
        }
    }
}
