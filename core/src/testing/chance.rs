//! Chance that can be had again: the same seed, the same choices.

use core::cell::Cell;

/// A row of choices that a seed decides, on every platform the same.
///
/// SplitMix64: one word, no warm-up, and any seed is a good one.
pub struct Chance(Cell<u64>);

impl Chance {
    /// The choices of `seed`.
    pub const fn new(seed: u64) -> Chance {
        Chance(Cell::new(seed))
    }

    /// Begins anew, with the choices of `seed`.
    pub fn reset(&self, seed: u64) {
        self.0.set(seed);
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`; 0 when that is 0.
    pub fn below(&self, bound: usize) -> usize {
        // The bias is one in 2^32 at most; without a division of 64 bits,
        // which small processors do slowly.
        let number = self.number() >> 32;
        ((number * bound as u64) >> 32) as usize
    }

    /// Whether something happens that happens `in_256` times in 256.
    pub fn happens(&self, in_256: u8) -> bool {
        self.below(256) < usize::from(in_256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_its_own_row_and_each_choice_its_share() {
        let (first, second, third) = (Chance::new(1), Chance::new(1), Chance::new(2));
        let mut counts = [0; 4];
        let mut apart = 0;
        for _ in 0..4000 {
            let choice = first.below(4);
            assert_eq!(choice, second.below(4));
            apart += u32::from(third.below(4) != choice);
            counts[choice] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
        assert!((2700..3300).contains(&apart), "{apart}");
        assert_eq!(first.below(0), 0);
        let often = (0..4000).filter(|_| first.happens(64)).count();
        assert!((900..1100).contains(&often), "{often}");
        assert!((0..1000).all(|_| !first.happens(0)));
    }
}
