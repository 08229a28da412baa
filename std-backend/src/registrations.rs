//! What the selector's events are about: a table with checked generations.
//!
//! An event carries a [`Key`]: a slot and the generation that the slot had when
//! the source was registered. Removing bumps the generation, so an event that
//! was on its way for a source that is gone finds nothing, also when its slot,
//! or its descriptor's number, is in use again.

use mio::Token;

/// Bits of a token that name the slot; the others are the generation.
const SLOT_BITS: u32 = if usize::BITS == 64 { 32 } else { 18 };
/// How many slots there can be: one number is kept free for the wake-up's token.
const MAX_SLOTS: usize = (1 << SLOT_BITS) - 1;
/// No free slot.
const NONE: u32 = u32::MAX;

/// Names one registration, for ever: it is not used again soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    slot: u32,
    generation: u32,
}

impl Key {
    /// As mio carries it. Never the wake-up's token, all ones.
    pub(crate) fn token(self) -> Token {
        Token((self.generation as usize) << SLOT_BITS | self.slot as usize)
    }

    fn of(token: Token) -> Key {
        let generation = (token.0 >> SLOT_BITS) as u32;
        Key { slot: (token.0 & MAX_SLOTS) as u32, generation }
    }
}

struct Slot<E> {
    generation: u32,
    next_free: u32,
    entry: Option<E>,
}

/// The table.
pub(crate) struct Registrations<E> {
    slots: Vec<Slot<E>>,
    free: u32,
}

/// There is no number left for another registration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableFull;

impl<E> Registrations<E> {
    pub(crate) const fn new() -> Registrations<E> {
        Registrations { slots: Vec::new(), free: NONE }
    }

    /// Adds an entry.
    pub(crate) fn insert(&mut self, entry: E) -> Result<Key, TableFull> {
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let key = Key { slot: self.free, generation: slot.generation };
            self.free = slot.next_free;
            slot.entry = Some(entry);
            return Ok(key);
        }
        if self.slots.len() >= MAX_SLOTS {
            return Err(TableFull);
        }
        let key = Key { slot: self.slots.len() as u32, generation: 0 };
        self.slots.push(Slot { generation: 0, next_free: NONE, entry: Some(entry) });
        Ok(key)
    }

    /// Takes an entry out; `None` when it is gone already.
    pub(crate) fn remove(&mut self, key: Key) -> Option<E> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1) & (usize::MAX >> SLOT_BITS) as u32;
        slot.next_free = self.free;
        self.free = key.slot;
        Some(entry)
    }

    /// All entries.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &E> {
        self.slots.iter().filter_map(|slot| slot.entry.as_ref())
    }

    /// The entry that an event with this token is about, if it is still there.
    #[inline]
    pub(crate) fn get(&self, token: Token) -> Option<&E> {
        let key = Key::of(token);
        let slot = self.slots.get(key.slot as usize)?;
        if slot.generation == key.generation { slot.entry.as_ref() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_for_a_slot_that_is_used_again_finds_nothing() {
        let mut table = Registrations::new();
        let first = table.insert("first").unwrap();
        let stale = first.token();
        assert_eq!(table.get(stale), Some(&"first"));
        assert_eq!(table.remove(first), Some("first"));
        let second = table.insert("second").unwrap();
        assert_eq!(second.slot, first.slot, "the slot is used again");
        assert_eq!(table.get(stale), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second.token()), Some(&"second"));
    }

    #[test]
    fn the_wake_up_token_names_no_slot() {
        let key = Key { slot: MAX_SLOTS as u32 - 1, generation: (usize::MAX >> SLOT_BITS) as u32 };
        assert_ne!(key.token(), Token(usize::MAX));
        assert_eq!(Key::of(key.token()), key);
        let empty = Registrations::<()>::new();
        assert_eq!(empty.get(Token(usize::MAX)), None);
    }
}
