//! Templates: trees with places for values, which a chunk holds once, and the values of each event.

use std::rc::Rc;

use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::event::Places;
use crate::tree::{MAX_DEPTH, MAX_ITEMS, Node, build, read_tree};
use crate::value::{Fields, Value};

/// The type of a value that is itself binary XML.
pub(crate) const BINARY_XML: u8 = 0x21;
/// Of a template, in front of its own binary XML: next template, GUID, size.
const TEMPLATE_HEADER: usize = 24;

/// A template: a tree with places for values.
pub(crate) struct Template<'c> {
    /// The bytes it takes in the chunk.
    length: usize,
    root: Node<'c>,
    /// Whether all of it could be read.
    whole: bool,
    /// Where the values that matter go.
    pub places: Places<'c>,
}

impl<'c> Template<'c> {
    pub fn read(chunk: &Chunk<'c>, offset: usize, depth: u8) -> Self {
        let mut header = Cursor::new(chunk.bytes, offset.saturating_add(TEMPLATE_HEADER - 4));
        let length = TEMPLATE_HEADER.saturating_add(header.u32() as usize);
        let (root, whole) = chunk.reads_all(|| read_tree(chunk, header.at, true, depth));
        let places = Places::of(&root, chunk.wanted);
        Self {
            length,
            root,
            whole,
            places,
        }
    }
}

/// A template and where its values lie.
pub(crate) struct Instance<'c> {
    pub template: Rc<Template<'c>>,
    /// Two bytes length, one byte type, one byte nothing, for each value.
    descriptors: &'c [[u8; 4]],
    values: Cursor<'c>,
}

impl<'c> Instance<'c> {
    /// Reads an instance behind its token, and moves the cursor behind its descriptors.
    pub fn read(chunk: &Chunk<'c>, cursor: &mut Cursor<'c>, depth: u8) -> Option<Self> {
        if depth >= MAX_DEPTH || cursor.u8() != 1 || cursor.u32() == 0 {
            return None;
        }
        let offset = cursor.u32();
        let template = chunk.template(offset, depth + 1);
        if !template.whole {
            chunk.cannot_read();
        }
        if offset as usize == cursor.at {
            cursor.take(template.length);
        }
        let count = cursor.u32() as usize;
        if count > MAX_ITEMS {
            return None;
        }
        let (descriptors, _) = cursor.take(count * 4).as_chunks::<4>();
        Some(Self {
            template,
            descriptors,
            values: *cursor,
        })
    }

    /// What all values take.
    pub fn length(&self) -> usize {
        self.descriptors.iter().copied().map(length).sum()
    }

    /// The type and the bytes of a value, and where they lie.
    pub fn value(&self, id: u16) -> Option<(u8, Cursor<'c>, &'c [u8])> {
        let (before, [descriptor, ..]) = self.descriptors.split_at_checked(id.into())? else {
            return None;
        };
        let mut cursor = self.values;
        cursor.at += before.iter().copied().map(length).sum::<usize>();
        let start = cursor;
        Some((descriptor[2], start, cursor.take(length(*descriptor))))
    }

    /// The template with its values.
    pub fn build(&self, chunk: &Chunk<'c>, depth: u8) -> Value<'c> {
        let mut values = Vec::with_capacity(self.descriptors.len());
        let mut cursor = self.values;
        for descriptor in self.descriptors {
            let start = cursor.at;
            let bytes = cursor.take(length(*descriptor));
            if !chunk.spend(1 + bytes.len() / 16) {
                return Value::Null;
            }
            values.push(match descriptor[2] {
                BINARY_XML => build(chunk, start, depth + 1),
                kind => Value::read(kind, bytes),
            });
        }
        let mut value = self.template.root.expand(chunk, Some(&values));
        if let Value::Fields(fields) = &mut value {
            name_data(fields);
        }
        value
    }
}

/// The length of the value that a descriptor tells of.
fn length([low, high, ..]: [u8; 4]) -> usize {
    u16::from_le_bytes([low, high]).into()
}

/// Makes `EventData: {Data: [{Name: a, Value: 1}, …]}` into `EventData: {a: 1, …}`, where each has a name and a value.
fn name_data(fields: &mut Fields<'_>) {
    let Some(Value::Fields(event_data)) = fields.get_mut("EventData") else {
        return;
    };
    let named = |item: &Value<'_>| {
        matches!(item.get("Name"), Some(Value::Text(_))) && item.get("Value").is_some()
    };
    match event_data.get("Data") {
        Some(Value::List(data)) if data.iter().all(named) => {}
        _ => return,
    }
    let Some(Value::List(data)) = event_data.take("Data") else {
        return;
    };
    let mut result = Fields::default();
    for item in data {
        if let Value::Fields(mut item) = item
            && let (Some(Value::Text(name)), Some(value)) = (item.take("Name"), item.take("Value"))
        {
            result.set(name.to_string().into(), value);
        }
    }
    *event_data = result;
}
