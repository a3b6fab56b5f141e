//! How large the parts of a row may be: whatever a source says, every reader can read the feed.
//!
//! The reader here takes a field of 64 KiB and a line of 256 KiB, as the one in VQL does. That one reads a feed by parts of
//! 16 KiB, and finds a key that goes on for 4,096 bytes behind its part.

use super::line::MAX_LINE;

/// A key, and the indicator behind it, may have this many bytes.
pub(crate) const MAX_KEY: usize = 4000;
/// Names of a row, with what stands between, may have this many bytes.
const MAX_NAMES: usize = 8 * 1024;
/// A row may have this many ports.
const MAX_PORTS: usize = 4096;
/// No list of warnings and no page is as long.
const MAX_OTHERS: usize = 64 * 1024;

// Quoting doubles a text at most, as the escapes of a regular expression do.
const _: () = assert!(
    2 * (MAX_KEY + 2 * MAX_KEY + MAX_KEY + 3 * MAX_NAMES) + 6 * MAX_PORTS + MAX_OTHERS < MAX_LINE
);

/// Stands in place of names that are left out.
const MORE: &str = "…";

/// The first ports: as many as a row may have.
pub(super) fn first_ports(ports: &[u16]) -> &[u16] {
    &ports[..ports.len().min(MAX_PORTS)]
}

/// The first names of those with `;` between: as many as a row may have, and a mark where some are left out. Says whether
/// that is so.
pub(super) fn first_names<'a>(names: &'a str, buffer: &'a mut String) -> (&'a str, bool) {
    if names.len() <= MAX_NAMES {
        return (names, false);
    }
    let room = MAX_NAMES - MORE.len() - 1;
    let whole = memchr::memrchr(b';', &names.as_bytes()[..=room]);
    let end = whole.or_else(|| (0..room).rev().find(|end| names.is_char_boundary(*end)));
    buffer.clear();
    buffer.push_str(&names[..end.unwrap_or_default()]);
    if whole.is_some() {
        buffer.push(';');
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
        assert_eq!(first_names("A;B", &mut buffer), ("A;B", false));
        let many = "Family;".repeat(2000);
        let (cut, true) = first_names(&many, &mut buffer) else {
            panic!("not cut")
        };
        assert!(cut.len() <= MAX_NAMES && cut.ends_with("Family;…"), "{cut}");
        let again = cut.to_owned();
        assert_eq!(first_names(&again, &mut buffer), (&*again, false));
        // The end of a name may be the very end of what fits.
        let exact = "x".repeat(MAX_NAMES - MORE.len() - 1) + ";y" + &"z".repeat(99);
        let (cut, _) = first_names(&exact, &mut buffer);
        assert_eq!(cut.len(), MAX_NAMES);
    }
}
