//! Templates: trees with places for values, which a chunk holds once, and the values of each event.

use std::rc::Rc;

use crate::CHUNK_SIZE;
use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::event::Places;
use crate::tree::{MAX_DEPTH, MAX_ITEMS, Node, build, read_tree};
use crate::value::{Fields, Value};

/// The type of a value that is itself binary XML.
pub(crate) const BINARY_XML: u8 = 0x21;
/// Of a template, in front of its own binary XML: next template, GUID, size.
const TEMPLATE_HEADER: usize = 24;
/// Where the GUID is, whose first four bytes are the template's id.
const TEMPLATE_ID: usize = 4;

/// A template: a tree with places for values.
pub(crate) struct Template<'c> {
    /// The id that the first instance of it gives.
    pub id: u32,
    /// The bytes it takes in the chunk.
    length: usize,
    root: Node<'c>,
    /// Whether all of it could be read.
    whole: bool,
    /// Where the values that matter go.
    pub places: Places<'c>,
}

impl<'c> Template<'c> {
    /// The id of the template that lies at an offset.
    pub fn id_at(bytes: &[u8; CHUNK_SIZE], offset: u32) -> u32 {
        Cursor::new(bytes, (offset as usize).saturating_add(TEMPLATE_ID)).u32()
    }

    pub fn read(chunk: &Chunk<'c>, id: u32, offset: u32, depth: u8) -> Self {
        let size = (offset as usize).saturating_add(TEMPLATE_HEADER - 4);
        let mut header = Cursor::new(chunk.bytes, size);
        let length = TEMPLATE_HEADER.saturating_add(header.u32() as usize);
        let (root, whole) = chunk.reads_all(|| read_tree(chunk, header.at, true, depth));
        let places = Places::of(&root, chunk.wanted);
        Self {
            id,
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
        if depth >= MAX_DEPTH || cursor.u8() != 1 {
            return None;
        }
        let (id, offset) = (cursor.u32(), cursor.u32());
        let here = u32::try_from(cursor.at).ok().filter(|_| id != 0)?;
        let (template, offset) = chunk.template(id, offset, here, depth + 1);
        if !template.whole {
            chunk.cannot_read();
        }
        if offset == here {
            cursor.take(template.length);
        }
        let count = cursor.u32() as usize;
        if count > MAX_ITEMS {
            return None;
        }
        let (descriptors, _) = cursor.take(count * 4).as_chunks::<4>();
        if !descriptors.iter().copied().all(has_length_of_type) {
            chunk.cannot_read();
        }
        Some(Self {
            template,
            descriptors,
            values: *cursor,
        })
    }

    /// The size of all values.
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

/// The size of a value of this type, if all have the same; else 0.
const LENGTHS: [u8; 0x16] = {
    let mut lengths = [0; 0x16];
    lengths[0x04] = 1;
    lengths[0x06] = 2;
    (lengths[0x07], lengths[0x08], lengths[0x0b], lengths[0x14]) = (4, 4, 4, 4);
    (lengths[0x09], lengths[0x0a], lengths[0x0c]) = (8, 8, 8);
    (lengths[0x11], lengths[0x15]) = (8, 8);
    lengths
};

/// The length of the value that a descriptor tells of. As in `parse_evtx`, that of its type counts, even if a damaged
/// descriptor says something else.
fn length(descriptor: [u8; 4]) -> usize {
    match LENGTHS.get(usize::from(descriptor[2])) {
        None | Some(0) => told_length(descriptor),
        Some(length) => usize::from(*length),
    }
}

fn told_length([low, high, ..]: [u8; 4]) -> usize {
    u16::from_le_bytes([low, high]).into()
}

fn has_length_of_type(descriptor: [u8; 4]) -> bool {
    length(descriptor) == told_length(descriptor)
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
