//! How large the parts of a row may be: whatever a source says, every reader can read the feed.
//!
//! The reader here takes a field of 64 KiB and a line of 256 KiB, as the one in VQL does. That one reads a feed by parts of
//! 16 KiB, and finds a key that goes on for 4,096 bytes behind its part.

use super::line::MAX_LINE;

/// A key, and the indicator behind it, may have this many bytes.
pub(crate) const MAX_KEY: usize = 4000;
/// A text beside the key and the indicator may have this many bytes, also several names with what stands between: a name
/// that one object of the input has may stand in 131,072 rows.
pub(crate) const MAX_TEXT: usize = 1000;
/// A row may have this many ports.
const MAX_PORTS: usize = 4096;
/// No list of warnings is as long.
const MAX_OTHERS: usize = 64 * 1024;

// Quoting doubles a text at most, as the escapes of a regular expression do.
const _: () = assert!(
    2 * (MAX_KEY + 2 * MAX_KEY + MAX_KEY + 4 * MAX_TEXT) + 6 * MAX_PORTS + MAX_OTHERS < MAX_LINE
);

/// Stands in place of names that are left out.
const MORE: &str = "…";

/// The first ports: as many as a row may have.
pub(super) fn first_ports(ports: &[u16]) -> &[u16] {
    &ports[..ports.len().min(MAX_PORTS)]
}

/// The first names of those with this sign between: as many as a row may have, and a mark where some are left out. Says
/// whether that is so.
pub(crate) fn first_names<'a>(
    names: &'a str,
    between: u8,
    buffer: &'a mut String,
) -> (&'a str, bool) {
    if names.len() <= MAX_TEXT {
        return (names, false);
    }
    let room = MAX_TEXT - MORE.len() - 1;
    let whole = memchr::memrchr(between, &names.as_bytes()[..=room]);
    let end = whole.or_else(|| (0..room).rev().find(|end| names.is_char_boundary(*end)));
    buffer.clear();
    buffer.push_str(&names[..end.unwrap_or_default()]);
    if whole.is_some() {
        buffer.push(between.into());
    }
    buffer.push_str(MORE);
    (buffer, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_two_of_them_and_what_was_cut_can_be_cut_again() {
        let mut buffer = String::new();
        assert_eq!(first_names("A;B", b';', &mut buffer), ("A;B", false));
        let many = "Family;".repeat(2000);
        let (cut, true) = first_names(&many, b';', &mut buffer) else {
            panic!("not cut")
        };
        assert!(cut.len() <= MAX_TEXT && cut.ends_with("Family;…"), "{cut}");
        let again = cut.to_owned();
        assert_eq!(first_names(&again, b';', &mut buffer), (&*again, false));
        // The end of a name may be the very end of what fits.
        let exact = "x".repeat(MAX_TEXT - MORE.len() - 1) + ";y" + &"z".repeat(99);
        let (cut, _) = first_names(&exact, b';', &mut buffer);
        assert_eq!(cut.len(), MAX_TEXT);
    }

    #[test]
    fn a_text_is_cut_between_two_characters_wherever_the_bound_falls() {
        let mut buffer = String::new();
        for start in ["", "a", "ab", "abc"] {
            let long = start.to_owned() + &"\u{1f600}".repeat(MAX_TEXT);
            let (cut, true) = first_names(&long, b',', &mut buffer) else {
                panic!("not cut")
            };
            assert!(cut.len() <= MAX_TEXT && cut.ends_with("\u{1f600}\u{2026}"));
        }
    }
}
