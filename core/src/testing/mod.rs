//! Deterministic tests: a clock that is advanced by hand.
