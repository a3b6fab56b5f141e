//! Binary XML as a tree, and a tree with its values as fields.
//!
//! The format: <https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc>.
//! An element becomes fields: its attributes, its child elements (a list where a name comes again) and, under the
//! empty name, its text. Zero ends a stream, and past the chunk's end all is zero.

use std::rc::Rc;

use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::template::Instance;
use crate::value::{Fields, Value};

/// How deep elements, templates and values may be nested. Events have four levels.
pub(crate) const MAX_DEPTH: u8 = 32;
/// Fields of an element, items of a list, values of a template. Events have some 40.
pub(crate) const MAX_ITEMS: usize = 1024;

/// A part of a tree.
pub(crate) enum Node<'c> {
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
    pub fn expand(&self, chunk: &Chunk<'c>, values: Option<&[Value<'c>]>) -> Value<'c> {
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

/// The cost of copying a value.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::List(values) => values.iter().map(size).sum::<usize>() + 1,
        Value::Fields(fields) => fields.iter().map(|(_, value)| size(value)).sum::<usize>() + 1,
        Value::Made(text) => 1 + text.len() / 32,
        _ => 1,
    }
}

/// Reads binary XML outside a template, and builds its value.
pub(crate) fn build<'c>(chunk: &Chunk<'c>, at: usize, depth: u8) -> Value<'c> {
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
    /// Whether the text ended with a reference, so that what comes next goes on with it.
    goes_on: bool,
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

    /// More of a text that has references in it.
    fn append(&mut self, more: &str) {
        match self.fields.iter_mut().find(|(n, _)| n.is_empty()) {
            Some((_, Node::Literal(Value::Made(text)))) => text.push_str(more),
            // Not a text: behind an event whose damaged lengths are too large, anything may look like a reference.
            Some((_, Node::Literal(Value::Fields(_) | Value::List(_)))) => {}
            Some((_, Node::Literal(value))) => {
                let mut text = String::new();
                value.write_text(&mut text);
                text.push_str(more);
                *value = Value::Made(text);
            }
            _ => self.set(Rc::default(), Node::Literal(Value::Made(more.to_owned()))),
        }
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
pub(crate) fn read_tree<'c>(
    chunk: &Chunk<'c>,
    at: usize,
    in_template: bool,
    depth: u8,
) -> Node<'c> {
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
                if open.goes_on {
                    let mut more = String::new();
                    text.write_text(&mut more);
                    open.append(&more);
                    open.goes_on = false;
                } else if open.attribute.as_deref() != Some("xmlns") {
                    open.content(Node::Literal(text));
                }
                open.attribute = None;
            }
            0x06 | 0x46 => open.attribute = Some(cursor.name(chunk)),
            0x0c => {
                let Some(instance) = Instance::read(chunk, &mut cursor, depth) else {
                    chunk.cannot_read();
                    break;
                };
                cursor.take(instance.length());
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
            // What XML cannot have in a text, in events that a collector stored. parse_evtx reads nothing behind them.
            token @ (0x08 | 0x09 | 0x48 | 0x49) => {
                let letter = match token & 0x0f {
                    0x08 => char::from_u32(cursor.u16().into()),
                    _ => entity(&cursor.name(chunk)),
                };
                match letter {
                    Some(letter) => open.append(letter.encode_utf8(&mut [0; 4])),
                    None => chunk.cannot_read(),
                }
                open.goes_on = true;
            }
            // Character data, instructions: no event has them, and parse_evtx reads on behind the token.
            0x07 | 0x0a | 0x0b | 0x47 => chunk.cannot_read(),
            _ => break, // The end, or what is not binary XML.
        }
    }
    // Bytes after a complete element do not matter: a value in binary XML may end without an end token.
    if !parents.is_empty() || open.fields.is_empty() {
        chunk.cannot_read();
    }
    while let Some(parent) = parents.pop() {
        let element = std::mem::replace(&mut open, parent);
        open.child(element.name, Node::Element(element.fields));
    }
    Node::Element(open.fields)
}

/// What a reference of XML stands for.
fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
