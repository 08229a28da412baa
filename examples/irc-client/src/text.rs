//! What is said: in pieces that fit, and without what would move a cursor.

/// What precedes a colour, in digits: foreground, and perhaps background.
const COLOUR: char = '\x03';
/// What precedes a colour in six hexadecimal digits.
const HEX_COLOUR: char = '\x04';

/// Without colours, bold and the like, and without control characters, which
/// a terminal might obey.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        match char {
            COLOUR => rest = without_colours(rest, 2, |char| char.is_ascii_digit()),
            HEX_COLOUR => rest = without_colours(rest, 6, |char| char.is_ascii_hexdigit()),
            char if char.is_control() => {}
            char => plain.push(char),
        }
    }
    plain
}

/// Behind up to so many digits, and as many more behind a comma.
fn without_colours(text: &str, most: usize, is_digit: impl Fn(char) -> bool) -> &str {
    let digits = |text: &str| text.chars().take(most).take_while(|char| is_digit(*char)).count();
    let rest = &text[digits(text)..];
    match rest.strip_prefix(',') {
        Some(behind) if rest.len() < text.len() && digits(behind) > 0 => &behind[digits(behind)..],
        _ => rest,
    }
}

/// `text` in pieces of up to `room` bytes, split between words if there are
/// any, and never within a character.
pub fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > room {
        let end = rest.floor_char_boundary(room).max(rest.chars().next().map_or(1, char::len_utf8));
        let head = &rest[..end];
        // A space in the first half would waste the other.
        let space = head.rfind(' ').filter(|space| *space > end / 2);
        let cut = space.unwrap_or(end);
        pieces.push(&rest[..cut]);
        rest = rest[cut..].strip_prefix(' ').unwrap_or(&rest[cut..]);
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_bells_are_stripped() {
        assert_eq!(
            plain("\x02bold\x02 \x0304red\x03 \x033,12both\x0f \x1b[2J\x07"),
            "bold red both [2J"
        );
        assert_eq!(plain("\x03,5 \x031234 \x04ff0000,00ff00x"), ",5 34 x");
        assert_eq!(plain("ünï\u{9b}cødé"), "ünïcødé");
    }

    #[test]
    fn pieces_fit_and_together_are_the_whole() {
        let text = "wörter ".repeat(100);
        let text = text.trim_end();
        let found = pieces(text, 50);
        assert!(found.iter().all(|piece| piece.len() <= 50), "{found:?}");
        assert_eq!(found.join(" "), text);
        let long = "é".repeat(101);
        let found = pieces(&long, 51);
        assert!(found.iter().all(|piece| piece.len() <= 50), "{found:?}");
        assert_eq!(found.concat(), long);
        assert_eq!(pieces("", 10), [""]);
        assert_eq!(pieces("ééé", 1).concat(), "ééé", "better too long than never");
    }
}
