//! Binary XML: tokens to a tree, and a tree with its values to an event.
//!
//! The format: <https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc>.
//! An element becomes fields: its attributes, its child elements (a list where a name comes again) and, under the
//! empty name, its text. Reading never fails: past the chunk's end all is zero, and zero ends a stream.

use std::rc::Rc;

use super::CHUNK_SIZE;
use super::chunk::Chunk;
use super::event::Places;
use super::text::Utf16;
use super::value::{Fields, Value};

/// How deep elements, templates and values may be nested. Events have four levels.
const MAX_DEPTH: u8 = 32;
/// Fields of an element, items of a list, values of a template. Events have some 40.
const MAX_ITEMS: usize = 1024;
/// The type of a value that is itself binary XML.
pub(super) const BINARY_XML: u8 = 0x21;
/// Of a template, in front of its own binary XML: next template, GUID, size.
const TEMPLATE_HEADER: usize = 24;

/// Reads a chunk from an offset on.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'c> {
    bytes: &'c [u8; CHUNK_SIZE],
    pub at: usize,
}

impl<'c> Cursor<'c> {
    pub fn new(bytes: &'c [u8; CHUNK_SIZE], at: usize) -> Self {
        Self { bytes, at }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let bytes = self.take(N);
        bytes.first_chunk().copied().unwrap_or([0; N])
    }

    pub fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// So many bytes, or none where the chunk ends before.
    pub fn take(&mut self, count: usize) -> &'c [u8] {
        let end = self.at.saturating_add(count);
        let bytes = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        bytes
    }

    /// Text behind its length in code units.
    pub fn counted_text(&mut self) -> Option<Utf16<'c>> {
        let units = usize::from(self.u16());
        Utf16::new(self.take(units * 2))
    }

    /// A reference to a name, behind which the name itself may lie.
    fn name(&mut self, chunk: &Chunk<'c>) -> Rc<str> {
        let offset = self.u32() as usize;
        // In front of the text: the next name of its bucket and a hash.
        let text = offset.saturating_add(6);
        if offset == self.at {
            self.at = text;
            let units = usize::from(self.u16());
            self.take((units + 1) * 2); // It ends in a zero.
        }
        chunk.name(text)
    }
}

/// A part of a tree.
pub(super) enum Node<'c> {
    Element(Vec<(Rc<str>, Node<'c>)>),
    Literal(Value<'c>),
    List(Vec<Node<'c>>),
    Substitution(u16),
}

impl<'c> Node<'c> {
    pub fn get(&self, name: &str) -> Option<&Node<'c>> {
        match self {
            Self::Element(fields) => fields
                .iter()
                .find(|(n, _)| **n == *name)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The value with the values of a template in their places; without any where `values` is `None`.
    fn expand(&self, chunk: &Chunk<'c>, values: Option<&[Value<'c>]>) -> Value<'c> {
        if !chunk.spend(1) {
            return Value::Null;
        }
        let substituted = |id: u16| {
            let value = values.and_then(|values| values.get(usize::from(id)));
            value
                .filter(|value| chunk.spend(size(value)))
                .cloned()
                .unwrap_or(Value::Null)
        };
        match self {
            // parse_evtx takes an empty element of a template for the first substitution.
            Self::Element(fields) if fields.is_empty() => substituted(0),
            Self::Element(fields) => match &fields[..] {
                [(name, only)] if name.is_empty() => only.expand(chunk, values),
                fields => expand_fields(fields, chunk, values),
            },
            Self::Literal(value) => value.clone(),
            Self::List(nodes) => Value::List(
                nodes
                    .iter()
                    .map(|node| node.expand(chunk, values))
                    .collect(),
            ),
            Self::Substitution(id) => substituted(*id),
        }
    }
}

fn expand_fields<'c>(
    fields: &[(Rc<str>, Node<'c>)],
    chunk: &Chunk<'c>,
    values: Option<&[Value<'c>]>,
) -> Value<'c> {
    let mut result = Fields::default();
    for (name, node) in fields {
        match (&**name, node.expand(chunk, values)) {
            (_, Value::Null) => {}
            ("", Value::Fields(inner)) => inner
                .into_iter()
                .for_each(|(name, value)| result.set(name, value)),
            ("", value) => result.set("Value".into(), value),
            (_, value) => result.set(Rc::clone(name), value),
        }
    }
    Value::Fields(result)
}

/// What copying a value costs.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::List(values) => values.iter().map(size).sum::<usize>() + 1,
        Value::Fields(fields) => fields.iter().map(|(_, value)| size(value)).sum::<usize>() + 1,
        Value::Made(text) => 1 + text.len() / 32,
        _ => 1,
    }
}

/// A template: a tree with places for values.
pub(super) struct Template<'c> {
    /// The bytes it takes in the chunk.
    length: usize,
    root: Node<'c>,
    /// Where the values that matter go.
    pub places: Places<'c>,
}

impl<'c> Template<'c> {
    pub fn read(chunk: &Chunk<'c>, offset: usize, depth: u8) -> Self {
        let mut header = Cursor::new(chunk.bytes, offset.saturating_add(TEMPLATE_HEADER - 4));
        let length = TEMPLATE_HEADER.saturating_add(header.u32() as usize);
        let root = read_tree(chunk, header.at, true, depth);
        let places = Places::of(&root, chunk.wanted);
        Self {
            length,
            root,
            places,
        }
    }
}

/// A template and where its values lie.
pub(super) struct Instance<'c> {
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

    /// The type and the bytes of a value, and where they lie.
    pub fn value(&self, id: u16) -> Option<(u8, Cursor<'c>, &'c [u8])> {
        let (before, [[low, high, kind, _], ..]) = self.descriptors.split_at_checked(id.into())?
        else {
            return None;
        };
        let mut cursor = self.values;
        cursor.at += before
            .iter()
            .map(|[low, high, ..]| usize::from(u16::from_le_bytes([*low, *high])))
            .sum::<usize>();
        let start = cursor;
        let bytes = cursor.take(u16::from_le_bytes([*low, *high]).into());
        Some((*kind, start, bytes))
    }

    fn build(&self, chunk: &Chunk<'c>, depth: u8) -> Value<'c> {
        let mut values = Vec::with_capacity(self.descriptors.len());
        let mut cursor = self.values;
        for [low, high, kind, _] in self.descriptors {
            let start = cursor.at;
            let bytes = cursor.take(u16::from_le_bytes([*low, *high]).into());
            if !chunk.spend(1) {
                return Value::Null;
            }
            values.push(match *kind {
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

/// Reads binary XML that is no template and builds its value.
pub(super) fn build<'c>(chunk: &Chunk<'c>, at: usize, depth: u8) -> Value<'c> {
    if depth >= MAX_DEPTH {
        return Value::Null;
    }
    read_tree(chunk, at, false, depth).expand(chunk, None)
}

/// An element that is not closed yet.
#[derive(Default)]
struct Open<'c> {
    name: Rc<str>,
    fields: Vec<(Rc<str>, Node<'c>)>,
    /// The attribute whose value comes next.
    attribute: Option<Rc<str>>,
}

impl<'c> Open<'c> {
    fn set(&mut self, name: Rc<str>, node: Node<'c>) {
        if let Some((_, old)) = self.fields.iter_mut().find(|(n, _)| *n == name) {
            *old = node;
        } else if self.fields.len() < MAX_ITEMS {
            self.fields.push((name, node));
        }
    }

    /// Text, or the value of an attribute.
    fn content(&mut self, node: Node<'c>) {
        let name = self.attribute.clone().unwrap_or_default();
        self.set(name, node);
    }

    fn child(&mut self, name: Rc<str>, node: Node<'c>) {
        match self.fields.iter_mut().find(|(n, _)| *n == name) {
            Some((_, Node::List(nodes))) if nodes.len() < MAX_ITEMS => nodes.push(node),
            Some((_, Node::List(_))) => {}
            Some((_, old)) => {
                let first = std::mem::replace(old, Node::List(Vec::new()));
                *old = Node::List(vec![first, node]);
            }
            None => self.set(name, node),
        }
    }
}

/// Reads binary XML. In a template each element has a dependency in front.
fn read_tree<'c>(chunk: &Chunk<'c>, at: usize, in_template: bool, depth: u8) -> Node<'c> {
    let mut cursor = Cursor::new(chunk.bytes, at);
    let mut parents: Vec<Open<'c>> = Vec::new();
    let mut open = Open::default();
    while chunk.spend(1) {
        match cursor.u8() {
            token @ (0x01 | 0x41) => {
                if parents.len() >= MAX_DEPTH.into() {
                    break;
                }
                cursor.take(if in_template { 6 } else { 4 }); // The dependency and the size.
                let name = cursor.name(chunk);
                if token == 0x41 {
                    cursor.take(4); // The size of the attributes.
                }
                let element = Open {
                    name,
                    ..Open::default()
                };
                parents.push(std::mem::replace(&mut open, element));
            }
            0x02 => open.attribute = None,
            0x03 | 0x04 => {
                let Some(parent) = parents.pop() else { break };
                let element = std::mem::replace(&mut open, parent);
                open.child(element.name, Node::Element(element.fields));
            }
            0x05 | 0x45 => {
                cursor.take(1); // The type, always text.
                let text = cursor.counted_text().map_or(Value::Null, Value::Text);
                if open.attribute.as_deref() != Some("xmlns") {
                    open.content(Node::Literal(text));
                }
                open.attribute = None;
            }
            0x06 | 0x46 => open.attribute = Some(cursor.name(chunk)),
            0x0c => {
                let Some(instance) = Instance::read(chunk, &mut cursor, depth) else {
                    break;
                };
                cursor.take(
                    instance
                        .descriptors
                        .iter()
                        .map(|[low, high, ..]| usize::from(u16::from_le_bytes([*low, *high])))
                        .sum(),
                );
                open.content(Node::Literal(instance.build(chunk, depth)));
            }
            0x0d | 0x0e => {
                let id = cursor.u16();
                if cursor.u8() == 0 {
                    cursor.take(1); // parse_evtx takes the next byte for the type then.
                }
                open.content(Node::Substitution(id));
            }
            0x0f => _ = cursor.take(3),
            _ => break, // The end, or what no event has.
        }
    }
    while let Some(parent) = parents.pop() {
        let element = std::mem::replace(&mut open, parent);
        open.child(element.name, Node::Element(element.fields));
    }
    Node::Element(open.fields)
}
