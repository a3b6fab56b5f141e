//! Text to show: foreign text without control characters and spreadsheet formulas, and bytes as digits.

use std::borrow::Cow;

/// Characters that a terminal or an editor obeys instead of showing: C0, DEL, C1, line separators, direction marks.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text without control characters, and with a leading `'` where a spreadsheet would read a formula
/// (`=`, `+`, `-`, `@` in front; tab and carriage return are control characters and gone).
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    // No early end: without one the compiler compares many bytes at once.
    let plain = text
        .bytes()
        .fold(true, |plain, b| plain & (0x20..0x7f).contains(&b));
    if plain && !starts_formula(text) {
        return Cow::Borrowed(text);
    }
    let shown: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let shown = shown.trim();
    Cow::Owned(if starts_formula(shown) {
        format!("'{shown}")
    } else {
        shown.to_owned()
    })
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

fn starts_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@'])
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn plain_text_stays_borrowed() {
        assert!(matches!(
            clean("Loki Password Stealer (PWS)"),
            std::borrow::Cow::Borrowed(_)
        ));
    }

    #[test]
    fn formulas_lose_their_meaning_in_a_spreadsheet() {
        for formula in [
            "=cmd|' /C calc'!A0",
            "+1+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\u{feff}=1",
            " \t =1",
        ] {
            let cleaned = clean(formula);
            assert!(
                cleaned.starts_with('\'') || cleaned.starts_with(' '),
                "{formula:?} became {cleaned:?}"
            );
        }
    }

    #[test]
    fn control_characters_and_direction_marks_vanish() {
        assert_eq!(
            clean("a\u{1b}[31mb\u{9b}c\u{202e}d\u{0}e\nf\u{2066}"),
            "a[31mbcdef"
        );
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        for text in ["=1", "\u{7}x", "ü ", "'=1"] {
            let once = clean(text).into_owned();
            assert_eq!(clean(&once), once);
        }
    }
}
