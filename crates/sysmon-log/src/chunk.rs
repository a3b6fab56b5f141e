//! A chunk of a log: its records, and the templates they share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::CHUNK_SIZE;
use crate::cursor::Cursor;
use crate::event::Event;
use crate::template::Template;
use crate::text::Utf16;

const MAGIC: &[u8] = b"ElfChnk\0";
/// Where the records begin.
const RECORDS: usize = 0x200;
const RECORD_MAGIC: &[u8] = b"**\0\0";
/// Of a record, in front of its binary XML.
const RECORD_HEADER: usize = 24;
/// How many values and elements may be built of a chunk: ten times what a full chunk has. A hostile one may multiply
/// what it holds.
const BUDGET: u32 = 256 * 1024;
/// The same for one record, so that one that is damaged leaves enough for the others.
const RECORD_BUDGET: u32 = BUDGET / 8;
/// A name may have this many code units; events have up to 40. A damaged reference makes a name of anything.
const MAX_NAME: usize = 256;

/// A chunk of a log.
pub struct Chunk<'c> {
    pub(crate) bytes: &'c [u8; CHUNK_SIZE],
    /// The fields that [`Event::text`] can be asked for.
    pub(crate) wanted: &'c [&'c str],
    templates: RefCell<HashMap<u32, Rc<Template<'c>>>>,
    /// Where the template of an id lies: for records whose reference to it is damaged.
    template_ids: RefCell<HashMap<u32, u32>>,
    names: RefCell<HashMap<u32, Rc<str>>>,
    budget: Cell<u32>,
    record_budget: Cell<u32>,
    damaged: Cell<bool>,
    /// Whether something of the record that is being read could not be read.
    unread: Cell<bool>,
    at: usize,
    records_left: u64,
}

/// The content at the place of a chunk.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, on the stack"
)]
pub enum Content<'c> {
    /// Records.
    Records(Chunk<'c>),
    /// Nothing yet.
    Unused,
    /// Something that is not a chunk.
    Damaged,
}

impl<'c> Content<'c> {
    /// Looks at the place of a chunk. [`Event::text`] will give the fields named in `wanted`.
    #[must_use]
    pub fn of(bytes: &'c [u8; CHUNK_SIZE], wanted: &'c [&'c str]) -> Self {
        if bytes.starts_with(MAGIC) {
            Chunk::new(bytes, wanted).map_or(Self::Unused, Self::Records)
        } else if bytes.iter().all(|byte| *byte == 0) {
            Self::Unused
        } else {
            Self::Damaged
        }
    }
}

impl<'c> Chunk<'c> {
    /// `None` where the chunk has no records.
    fn new(bytes: &'c [u8; CHUNK_SIZE], wanted: &'c [&'c str]) -> Option<Self> {
        let number = |at| Cursor::new(bytes, at).u64();
        let (first, last, last_id) = (number(8), number(16), number(32));
        if last_id == u64::MAX {
            return None;
        }
        Some(Self {
            bytes,
            wanted,
            templates: RefCell::default(),
            template_ids: RefCell::default(),
            names: RefCell::default(),
            budget: Cell::new(BUDGET),
            record_budget: Cell::new(RECORD_BUDGET),
            damaged: Cell::new(false),
            unread: Cell::new(false),
            at: RECORDS,
            records_left: last.checked_sub(first).map_or(0, |n| n.saturating_add(1)),
        })
    }

    /// The next record. Ends after the last that the header tells of, or where no whole record follows.
    pub fn next_event(&mut self) -> Option<Event<'c>> {
        if self.records_left == 0 || self.damaged.get() {
            return None;
        }
        let header = self.bytes.get(self.at..self.at + RECORD_HEADER);
        let size = Cursor::new(self.bytes, self.at + 4).u32() as usize;
        let whole = header.is_some_and(|header| header.starts_with(RECORD_MAGIC))
            && (RECORD_HEADER..=CHUNK_SIZE - self.at).contains(&size);
        if !whole {
            self.damaged.set(true);
            return None;
        }
        let start = self.at + RECORD_HEADER;
        self.at += size;
        self.records_left -= 1;
        self.record_budget.set(RECORD_BUDGET);
        Some(Event::read(self, start))
    }

    /// Whether records were missing.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.damaged.get()
    }

    /// Takes note that something could not be read.
    pub(crate) fn cannot_read(&self) {
        self.unread.set(true);
    }

    /// Does something, and says whether all could be read.
    pub(crate) fn reads_all<T>(&self, read: impl FnOnce() -> T) -> (T, bool) {
        let before = self.unread.replace(false);
        let done = read();
        (done, !self.unread.replace(before))
    }

    /// Takes from the budgets. Where one is used up, the record cannot be read.
    pub(crate) fn spend(&self, amount: usize) -> bool {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        let take = |budget: &Cell<u32>| {
            let left = budget.get().checked_sub(amount);
            budget.set(left.unwrap_or(0));
            left.is_some()
        };
        let enough = take(&self.budget) && take(&self.record_budget);
        if !enough {
            self.cannot_read();
        }
        enough
    }

    /// Whether a budget is used up, so that what was built is not all there.
    pub(crate) fn is_spent(&self) -> bool {
        self.budget.get() == 0 || self.record_budget.get() == 0
    }

    /// The template that an instance refers to by its id and its offset, and where it lies. `here` is where it lies if it is
    /// defined in the instance itself.
    ///
    /// One of the two may be damaged. `parse_evtx` goes by the id.
    pub(crate) fn template(
        &self,
        id: u32,
        offset: u32,
        here: u32,
        depth: u8,
    ) -> (Rc<Template<'c>>, u32) {
        let at = |offset: u32| self.templates.borrow().get(&offset).map(Rc::clone);
        let known = at(offset);
        if let Some(template) = &known
            && template.id == id
        {
            return (Rc::clone(template), offset);
        }
        let has_id = |offset: u32| Template::id_at(self.bytes, offset) == id;
        let of_id = self.template_ids.borrow().get(&id).copied();
        let offset = match of_id {
            _ if offset == here || has_id(offset) => offset,
            Some(of_id) => {
                self.cannot_read();
                of_id
            }
            None => {
                self.cannot_read();
                if has_id(here) { here } else { offset }
            }
        };
        if let Some(template) = at(offset) {
            return (template, offset);
        }
        let template = Rc::new(Template::read(self, id, offset, depth));
        self.template_ids.borrow_mut().insert(id, offset);
        self.templates
            .borrow_mut()
            .insert(offset, Rc::clone(&template));
        (template, offset)
    }

    /// The name whose length stands at an offset.
    pub(crate) fn name(&self, offset: usize) -> Rc<str> {
        let key = u32::try_from(offset).unwrap_or(u32::MAX);
        let mut names = self.names.borrow_mut();
        let name = names.entry(key).or_insert_with(|| {
            let mut cursor = Cursor::new(self.bytes, offset);
            let units = usize::from(cursor.u16());
            if units > MAX_NAME {
                self.cannot_read();
            }
            let text = Utf16::new(cursor.take(units.min(MAX_NAME) * 2));
            text.map_or_else(String::new, |text| text.to_string())
                .into()
        });
        Rc::clone(name)
    }
}
