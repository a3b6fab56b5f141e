//! Texts of many records in two allocations: one for what differs, one list for what repeats.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexSet;

use crate::error::Error;

/// Where a text stands in the arena.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// A part of it: `len` bytes from its byte `from`.
    pub(crate) fn part(self, from: usize, len: usize) -> Option<Self> {
        let (from, len) = (u32::try_from(from).ok()?, u32::try_from(len).ok()?);
        let inside = from.checked_add(len)? <= self.len;
        inside.then_some(Self {
            start: self.start + from,
            len,
        })
    }
}

/// All texts, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Arena(String);

impl Arena {
    /// Adds a text. Fails past 4 GiB, where spans end.
    pub(crate) fn add(&mut self, text: &str) -> Result<Span, Error> {
        let too_large = || Error::TooLarge {
            what: "text bytes",
            limit: u32::MAX.into(),
        };
        let start = u32::try_from(self.0.len()).map_err(|_| too_large())?;
        let len = u32::try_from(text.len()).map_err(|_| too_large())?;
        self.0.push_str(text);
        Ok(Span { start, len })
    }

    /// Adds a text that may be, or begin with, the last one added: most IOCs are their own key.
    pub(crate) fn add_after(&mut self, text: &str, other: Span) -> Result<Span, Error> {
        if self.get(other) == text {
            Ok(other)
        } else {
            self.add(text)
        }
    }

    /// The first byte of a text.
    pub(crate) fn first(&self, span: Span) -> u8 {
        let byte = self.0.as_bytes().get(span.start as usize);
        byte.copied().unwrap_or_default()
    }

    /// The text.
    pub(crate) fn get(&self, span: Span) -> &str {
        let start = span.start as usize;
        &self.0[start..start + span.len as usize]
    }
}

/// Texts that repeat, by number.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: IndexSet<Box<str>, DefaultHashBuilder>,
    /// In another form, once no more are added.
    rewritten: Option<Vec<Box<str>>>,
    /// Records of one kind come in runs.
    last: u32,
}

impl Names {
    /// The number of a text.
    pub(crate) fn number(&mut self, text: &str) -> Result<u32, Error> {
        let last = self.texts.get_index(self.last as usize);
        if last.is_some_and(|last| **last == *text) {
            return Ok(self.last);
        }
        let number = match self.texts.get_index_of(text) {
            Some(number) => number,
            None => self.texts.insert_full(text.into()).0,
        };
        self.last = u32::try_from(number).map_err(|_| Error::TooLarge {
            what: "different names",
            limit: u32::MAX.into(),
        })?;
        Ok(self.last)
    }

    /// Puts every text into another form. Only when no more are added.
    pub(crate) fn rewrite(&mut self, form: impl Fn(&str) -> String) {
        let rewritten = self.texts.drain(..).map(|text| form(&text).into());
        self.rewritten = Some(rewritten.collect());
    }

    /// All texts, by their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// The text behind a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        match &self.rewritten {
            Some(texts) => &texts[number as usize],
            None => &self.texts[number as usize],
        }
    }
}
