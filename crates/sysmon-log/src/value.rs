//! The values of an event, and how they are written as JSON.

use std::fmt::Write;
use std::rc::Rc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::text::Utf16;

/// One value, of the type that `parse_evtx` gives it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // The names say it.
pub enum Value<'c> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Utf16<'c>),
    /// Text made here (a GUID, a SID), or of bytes that are not UTF-16.
    Made(String),
    List(Vec<Value<'c>>),
    Fields(Fields<'c>),
}

/// Names and their values in the order of the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields<'c>(Vec<(Rc<str>, Value<'c>)>);

impl<'c> Fields<'c> {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'c>> {
        self.0.iter().find(|(n, _)| **n == *name).map(|(_, v)| v)
    }

    /// Gives a name its value; the last one counts.
    pub(crate) fn set(&mut self, name: Rc<str>, value: Value<'c>) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value<'c>> {
        self.0
            .iter_mut()
            .find(|(n, _)| **n == *name)
            .map(|(_, v)| v)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'c>> {
        let at = self.0.iter().position(|(n, _)| **n == *name)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Rc<str>, Value<'c>)> {
        self.0.into_iter()
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'c>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<'c> Value<'c> {
    /// The value of a name, where this is [`Value::Fields`] and has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'c>> {
        match self {
            Self::Fields(fields) => fields.get(name),
            _ => None,
        }
    }

    /// The text, where this is text.
    #[must_use]
    pub fn text(&self) -> Option<Utf16<'c>> {
        match self {
            Self::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// Writes the text of a text, a number or a bool; `false` where it is something else.
    pub fn write_text(&self, out: &mut String) -> bool {
        // Writing to a String does not fail.
        _ = match self {
            Self::Null | Self::List(_) | Self::Fields(_) => return false,
            Self::Bool(value) => write!(out, "{value}"),
            Self::Unsigned(value) => write!(out, "{value}"),
            Self::Signed(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value}"),
            Self::Text(text) => {
                text.write(out);
                Ok(())
            }
            Self::Made(text) => out.write_str(text),
        };
        true
    }

    /// A number, or a text that is one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(*number),
            Self::Signed(number) => u64::try_from(*number).ok(),
            Self::Text(text) => text.to_string().parse().ok(),
            _ => None,
        }
    }

    /// Reads a value of a binary XML type other than binary XML itself (0x21), as `parse_evtx` does.
    pub(crate) fn read(kind: u8, bytes: &'c [u8]) -> Self {
        match kind {
            0x00 => Self::Null,
            0x01 => Utf16::new(bytes).map_or_else(|| raw(bytes), Self::Text),
            0x04 | 0x06 | 0x08 | 0x0a | 0x14 | 0x15 => Self::Unsigned(unsigned(bytes)),
            0x07 => array(bytes).map_or(Self::Null, |b| Self::Signed(i32::from_le_bytes(b).into())),
            0x09 => array(bytes).map_or(Self::Null, |b| Self::Signed(i64::from_le_bytes(b))),
            0x0b => array(bytes).map_or(Self::Null, |b| Self::Float(f32::from_le_bytes(b).into())),
            0x0c => array(bytes).map_or(Self::Null, |b| Self::Float(f64::from_le_bytes(b))),
            0x0d => Self::Bool(unsigned(bytes) > 0),
            0x0f => guid(bytes),
            0x11 => Self::Float(unix_time(unsigned(bytes))),
            0x13 => sid(bytes),
            0x81 => list(bytes),
            _ => raw(bytes),
        }
    }
}

/// A number of up to 8 bytes.
fn unsigned(bytes: &[u8]) -> u64 {
    let bytes = bytes.get(..8).unwrap_or(bytes);
    bytes.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b))
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

/// Seconds since 1970 of a FILETIME (100 ns since 1601), rounded as `parse_evtx` rounds.
#[expect(
    clippy::cast_precision_loss,
    reason = "parse_evtx gives a float, and the rows must be equal"
)]
pub(crate) fn unix_time(filetime: u64) -> f64 {
    (filetime as f64 - 11_644_473_600_000.0 * 10_000.0) / 10_000_000.0
}

/// Bytes of an unknown type, as text.
fn raw<'c>(bytes: &[u8]) -> Value<'c> {
    let text = String::from_utf8_lossy(bytes);
    Value::Made(text.trim_end_matches('\0').to_owned())
}

fn guid<'c>(bytes: &[u8]) -> Value<'c> {
    let Some(bytes) = array::<16>(bytes) else {
        return Value::Null;
    };
    let small = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let tail = |from: usize, to: usize| big_endian(&bytes[from..to]);
    Value::Made(format!(
        "{:04X}{:04X}-{:04X}-{:04X}-{:04X}-{:012X}",
        small(2),
        small(0),
        small(4),
        small(6),
        tail(8, 10),
        tail(10, 16)
    ))
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| (n << 8) | u64::from(*b))
}

fn sid<'c>(bytes: &[u8]) -> Value<'c> {
    let Some(([revision, _, authority @ ..], parts)) = bytes.split_first_chunk::<8>() else {
        return Value::Null;
    };
    let mut text = format!("S-{revision}-{}", big_endian(authority));
    for part in parts.as_chunks::<4>().0 {
        // Writing to a String does not fail.
        _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    Value::Made(text)
}

/// Texts with a zero after each but the last.
fn list(bytes: &[u8]) -> Value<'_> {
    let Some(Utf16(bytes)) = Utf16::new(bytes) else {
        return raw(bytes);
    };
    let (units, _) = bytes.as_chunks::<2>();
    Value::List(
        units
            .split(|unit| *unit == [0, 0])
            .map(|part| Value::Text(Utf16(part.as_flattened())))
            .collect(),
    )
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => value.serialize(serializer),
            Self::Made(value) => serializer.serialize_str(value),
            Self::List(values) => {
                let mut out = serializer.serialize_seq(Some(values.len()))?;
                values
                    .iter()
                    .try_for_each(|value| out.serialize_element(value))?;
                out.end()
            }
            Self::Fields(fields) => {
                let mut out = serializer.serialize_map(Some(fields.0.len()))?;
                fields
                    .iter()
                    .try_for_each(|(name, value)| out.serialize_entry(name, value))?;
                out.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn values_read_as_parse_evtx_reads_them() {
        let guid = [
            0x7b, 0x1b, 0x78, 0xec, 2, 1, 4, 3, 5, 6, 7, 8, 9, 10, 11, 12,
        ];
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 1, 0, 0, 0];
        let wide = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        };
        for (kind, bytes, json) in [
            (0x00, &[1, 2][..], "null"),
            (0x01, &wide("a\u{1}\"\0"), r#""a\u0001\"""#),
            (0x01, &[0x61], r#""a""#),
            (0x04, &[7], "7"),
            (0x06, &[1, 1], "257"),
            (0x07, &[0xff; 4], "-1"),
            (0x08, &[0xff; 4], "4294967295"),
            (0x09, &[0xff; 8], "-1"),
            (0x0a, &[0xff; 8], "18446744073709551615"),
            (0x0b, &1.5_f32.to_le_bytes(), "1.5"),
            (0x0c, &0.25_f64.to_le_bytes(), "0.25"),
            (0x0d, &[1, 0, 0, 0], "true"),
            (0x0d, &[0], "false"),
            (0x0f, &guid, r#""EC781B7B-0102-0304-0506-0708090A0B0C""#),
            (
                0x11,
                &132_514_044_123_450_000_u64.to_le_bytes(),
                "1606930812.345",
            ),
            (0x13, &sid, r#""S-1-5-18-1""#),
            (0x15, &[0xe7, 3, 0, 0, 0, 0, 0, 0], "999"),
            (0x81, &wide("a\0b\0"), r#"["a","b"]"#),
            (0x99, b"raw\0", r#""raw""#),
            (0x07, &[1], "null"),
            (0x0f, &[1], "null"),
            (0x13, &[1], "null"),
        ] {
            let got = serde_json::to_string(&Value::read(kind, bytes)).unwrap();
            assert_eq!(got, json, "type {kind:#x}");
        }
    }

    #[test]
    fn texts_numbers_and_bools_have_a_text_and_nothing_else_has() {
        let wide: Vec<u8> = "7".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (value, text, number) in [
            (Value::Bool(true), Some("true"), None),
            (Value::Unsigned(7), Some("7"), Some(7)),
            (Value::Signed(-7), Some("-7"), None),
            (Value::Float(1.5), Some("1.5"), None),
            (Value::read(0x01, &wide), Some("7"), Some(7)),
            (Value::Made("x".to_owned()), Some("x"), None),
            (Value::Null, None, None),
            (Value::List(vec![Value::Unsigned(7)]), None, None),
            (Value::Fields(Fields::default()), None, None),
        ] {
            let mut written = String::new();
            let has_text = value.write_text(&mut written);
            assert_eq!(has_text.then_some(&*written), text, "{value:?}");
            assert_eq!(value.number(), number, "{value:?}");
        }
    }
}
