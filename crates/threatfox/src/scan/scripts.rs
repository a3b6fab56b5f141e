//! Script blocks in several parts: an indicator may begin in one and end in the next.
//!
//! A part is searched behind the unfinished word of the part before. So nothing is put together that could be large, and where a part is missing
//! the others are searched alone.

use std::collections::HashMap;

use sysmon_log::{CHUNK_SIZE, Content};

use super::observables::EventRow;
use crate::rules::plan::{PartFields, Plan, Row};

/// What the last parts ended in, by the beginning of their block's id, so that there are at most 257, each
/// smaller than an event.
pub(super) struct Scripts<'k> {
    open: HashMap<String, Part>,
    /// The chunk before, until it is looked at.
    last: Option<&'k [u8; CHUNK_SIZE]>,
}

/// A part of a script block.
struct Part {
    block: String,
    number: u64,
    word: String,
}

impl<'k> Scripts<'k> {
    /// Begins behind this chunk, which is looked at only where a part needs the one before it.
    pub fn behind(last: Option<&'k [u8; CHUNK_SIZE]>) -> Self {
        Self {
            open: HashMap::new(),
            last,
        }
    }

    /// The unfinished word that the part before this one ended in. Notes what this one ends in.
    pub fn word_before(
        &mut self,
        fields: &PartFields,
        row: &EventRow<'_, '_>,
        plan: &Plan<'_>,
    ) -> String {
        let text = |field| {
            let mut text = String::new();
            row.text(field, &mut text).then_some(text)
        };
        let number = |field| text(field)?.parse::<u64>().ok();
        if number(fields.total).is_none_or(|total| total < 2) {
            return String::new();
        }
        let (Some(number), Some(block)) = (number(fields.number), text(fields.block)) else {
            return String::new();
        };
        let part = Part {
            number,
            word: text(fields.text)
                .map(|text| unfinished_word(&text).to_owned())
                .unwrap_or_default(),
            block,
        };
        let slot = slot(&part.block);
        if !self.open.contains_key(&slot)
            && number > 1
            && let Some(last) = self.last.take()
        {
            self.look_at(last, plan);
        }
        let follows = |before: &Part| {
            before.block == part.block && before.number.checked_add(1) == Some(part.number)
        };
        let word = self
            .open
            .get(&slot)
            .filter(|before| follows(before))
            .map(|before| before.word.clone());
        self.open.insert(slot, part);
        word.unwrap_or_default()
    }

    /// Notes what the parts in a chunk end in.
    fn look_at(&mut self, bytes: &[u8; CHUNK_SIZE], plan: &Plan<'_>) {
        let Content::Records(mut chunk) = Content::of(bytes, plan.fields()) else {
            return;
        };
        while let Some(event) = chunk.next_event() {
            let providers = plan.providers().iter();
            let provider = event
                .provider()
                .and_then(|name| providers.into_iter().find(|known| name == *known.name));
            let fields = event.id().and_then(|id| provider?.part_fields(id));
            if let Some(fields) = fields {
                let row = EventRow {
                    event: &event,
                    chunk: &chunk,
                    before: "",
                };
                self.word_before(&fields, &row, plan);
            }
        }
    }
}

/// The two hexadecimal digits that an id begins with; nothing of another id.
fn slot(block: &str) -> String {
    let digits: String = block
        .chars()
        .take(2)
        .filter(char::is_ascii_hexdigit)
        .collect();
    if digits.len() == 2 {
        digits.to_ascii_lowercase()
    } else {
        String::new()
    }
}

/// What stands behind the last space, quotation mark, bracket or other separator.
fn unfinished_word(text: &str) -> &str {
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
    text.rsplit(is_end).next().unwrap_or_default()
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
    fn blocks_are_told_apart_by_few_slots() {
        assert_eq!(slot("AB350588-4aa4"), "ab");
        assert_eq!(slot("{76350588"), "");
        assert_eq!(slot("é"), "");
    }
}
