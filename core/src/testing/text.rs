//! Text in a place of fixed size.

use core::fmt;

/// Up to `N` bytes of text; what does not fit is cut off, and marked by `…`
/// when shown.
#[derive(Clone)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
    cut: bool,
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const fn new() -> Text<N> {
        Text { bytes: [0; N], length: 0, cut: false }
    }

    /// What `value` displays.
    pub fn of(value: impl fmt::Display) -> Text<N> {
        let mut text = Text::new();
        // Cutting off is not an error, and a `Display` that fails says less.
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{value}"));
        text
    }

    /// The text, as far as it fitted.
    pub fn as_str(&self) -> &str {
        // Cut at a character's boundary, so it always is UTF-8.
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Text::new()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, added: &str) -> fmt::Result {
        let mut fits = added.len().min(N - self.length);
        if self.cut {
            fits = 0;
        }
        while !added.is_char_boundary(fits) {
            fits -= 1;
        }
        self.cut = self.cut || fits < added.len();
        self.bytes[self.length..self.length + fits].copy_from_slice(&added.as_bytes()[..fits]);
        self.length += fits;
        Ok(())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        f.write_str(if self.cut { "…" } else { "" })
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        assert_eq!(Text::<8>::of("windmill").to_string(), "windmill");
        assert_eq!(Text::<8>::of("windmills").to_string(), "windmill…");
        assert_eq!(Text::<4>::of("moléé").to_string(), "mol…");
        assert_eq!(Text::<0>::of("x").to_string(), "…");
    }

    #[test]
    fn nothing_follows_what_was_cut() {
        assert_eq!(Text::<4>::of(format_args!("{}{}", "moléé", "x")).as_str(), "mol");
    }
}
