//! Script blocks in several parts: an indicator may begin in one and end in the next.
//!
//! A part is searched behind the unfinished word of the part before. So nothing is put together that could be large, and where a part is missing
//! the others are searched alone.

use std::collections::HashMap;
use std::mem::take;

use super::observables::EventRow;
use crate::rules::plan::PartFields;

/// So many script blocks are surely remembered, and twice as many at most.
const MAX_OPEN: usize = 4096;
/// So many bytes of a word are kept, so that a hostile log takes some MiB at most.
const MAX_WORD: usize = 1024;

/// What the last parts of script blocks ended in, over all logs of a search.
#[derive(Clone, Default)]
pub(super) struct Scripts {
    open: HashMap<String, Part>,
    /// Those before, until there are as many new ones.
    older: HashMap<String, Part>,
}

/// A part of a script block.
#[derive(Clone)]
struct Part {
    number: u64,
    word: String,
}

impl Scripts {
    /// The unfinished word that the part before this one ended in. Notes what this one ends in.
    pub fn word_before(&mut self, fields: &PartFields, row: &EventRow<'_, '_>) -> String {
        let text = |field| {
            let mut text = String::new();
            row.event.text(row.chunk, field, &mut text).then_some(text)
        };
        let number = |field| text(field)?.parse::<u64>().ok();
        if number(fields.total).is_none_or(|total| total < 2) {
            return String::new();
        }
        let block = format!(
            "{} {}",
            computer(row),
            text(fields.block).unwrap_or_default()
        );
        let part = Part {
            number: number(fields.number).unwrap_or(0),
            word: text(fields.text)
                .map(|text| unfinished_word(&text))
                .unwrap_or_default(),
        };
        self.follow(block, part)
    }

    /// Notes a part of a block, and gives back the word before it where the part before is the one that was noted last.
    fn follow(&mut self, block: String, part: Part) -> String {
        let before = self.open.get(&block).or_else(|| self.older.get(&block));
        let word = before
            .filter(|before| before.number.checked_add(1) == Some(part.number))
            .map(|before| before.word.clone());
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&block) {
            self.older = take(&mut self.open);
        }
        self.open.insert(block, part);
        word.unwrap_or_default()
    }
}

/// The name of an event's computer: two computers may run one script block.
fn computer(row: &EventRow<'_, '_>) -> String {
    let mut name = String::new();
    let event = row.event.build(row.chunk);
    if let Some(computer) = event
        .as_ref()
        .and_then(|event| event.get("System")?.get("Computer"))
    {
        computer.write_text(&mut name);
    }
    name
}

/// The last bytes of what follows the last space, quotation mark, bracket or other separator. If these bytes begin in the middle of
/// a character, its rest does not belong to a name, in both engines.
fn unfinished_word(text: &str) -> String {
    let is_end = |c| {
        matches!(
            c,
            '\t'..='\r'
                | ' '
                | '"'
                | '\''
                | '`'
                | '|'
                | '<'
                | '>'
                | '('
                | ')'
                | '{'
                | '}'
                | ','
                | ';'
        )
    };
    let word = text.rsplit(is_end).next().unwrap_or_default();
    let start = word.len().saturating_sub(MAX_WORD);
    String::from_utf8_lossy(&word.as_bytes()[start..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_part_ends_in_is_its_unfinished_word() {
        for (text, word) in [
            ("iwr 'http://evil.exa", "http://evil.exa"),
            ("a\nb", "b"),
            ("a;", ""),
            ("[2001:db8::", "[2001:db8::"),
            ("", ""),
        ] {
            assert_eq!(unfinished_word(text), word, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_kept_without_its_beginning() {
        let kept = unfinished_word(&format!("a {}{}", "ü".repeat(MAX_WORD), "z"));
        assert_eq!(kept.chars().count(), 1 + (MAX_WORD - 1) / 2 + 1);
        assert!(kept.starts_with("\u{fffd}ü") && kept.ends_with("üz"));
    }

    fn part(number: u64, word: &str) -> Part {
        let word = word.to_owned();
        Part { number, word }
    }

    #[test]
    fn a_block_is_remembered_until_as_many_others_were_read() {
        let mut scripts = Scripts::default();
        let mut word = |block: usize, number| {
            scripts.follow(block.to_string(), part(number, &format!("w{block}")))
        };
        for block in 0..MAX_OPEN {
            assert_eq!(word(block, 1), "");
        }
        for block in 0..MAX_OPEN {
            assert_eq!(word(block, 2), format!("w{block}"));
        }
        for block in MAX_OPEN..3 * MAX_OPEN {
            word(block, 1);
        }
        assert_eq!(word(0, 3), "");
        assert!(scripts.open.len() + scripts.older.len() <= 2 * MAX_OPEN);
    }

    #[test]
    fn only_the_next_part_follows() {
        let mut scripts = Scripts::default();
        let mut word = |number, word| scripts.follow("a".to_owned(), part(number, word));
        assert_eq!(word(2, "two"), "");
        assert_eq!(word(1, "one"), "");
        assert_eq!(word(3, "three"), "");
        assert_eq!(word(4, "four"), "three");
        assert_eq!(word(4, "four"), "");
    }
}
