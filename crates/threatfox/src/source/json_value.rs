//! A value of JSON as text, whatever its type.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_FIELD;

/// Any value as text: `null` as nothing, a list with commas between its items.
pub(super) struct Text<'a>(pub &'a mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Text<'_> {
    fn push<E: serde::de::Error>(self, value: impl fmt::Display) -> Result<(), E> {
        // A text over the bound is rejected later, so the rest of it is not kept.
        if self.0.len() > MAX_FIELD {
            return Ok(());
        }
        write!(self.0, "{value}").map_err(E::custom)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, null or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.push(text)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.push(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let before = self.0.len();
            if (1..=MAX_FIELD).contains(&before) {
                self.0.push(',');
            }
            if seq.next_element_seed(Text(self.0))?.is_none() {
                self.0.truncate(before);
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// The value of a member as text; nothing for one that is larger than the bound of a field.
pub(crate) fn text_of<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    let mut text = String::new();
    map.next_value_seed(Text(&mut text))?;
    Ok(if text.len() > MAX_FIELD {
        String::new()
    } else {
        text
    })
}

/// The part of a visitor that treats everything alike but lists and objects. The text is empty if the value is not a text.
macro_rules! for_scalars {
    ($visitor:ident, $text:ident => $result:expr) => {
        fn visit_str<E: serde::de::Error>(self, $text: &str) -> Result<Self::Value, E> {
            let $visitor = self;
            $result
        }

        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            self.visit_str("")
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            self.visit_str("")
        }

        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            self.visit_str("")
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            self.visit_str("")
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            self.visit_str("")
        }
    };
}
pub(crate) use for_scalars;

/// The part of a visitor that looks for lists and objects alone: it passes over everything else.
macro_rules! pass_over_scalars {
    () => {
        crate::source::for_scalars!(_visitor, _text => Ok(Self::Value::default()));
    };
}
pub(crate) use pass_over_scalars;

/// What reads an object, where there is one. Says whether there was, and passes over anything else.
pub(super) struct IfObject<V>(pub V);

impl<'de, V: Visitor<'de, Value = ()>> DeserializeSeed<'de> for IfObject<V> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, V: Visitor<'de, Value = ()>> Visitor<'de> for IfObject<V> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        self.0.visit_map(map).map(|()| true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    pass_over_scalars!();
}

/// A member of an object, or of each object in a list, with commas between; or of the first alone.
pub(super) struct Members<'a> {
    pub member: &'static str,
    pub all: bool,
    pub into: &'a mut String,
}

impl Members<'_> {
    fn again(&mut self) -> Members<'_> {
        Members {
            member: self.member,
            all: self.all,
            into: self.into,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let wanted = name == self.member && (self.all || self.into.is_empty());
            if !wanted || self.into.len() > MAX_FIELD {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if !self.into.is_empty() {
                self.into.push(',');
            }
            map.next_value_seed(Text(self.into))?;
        }
        Ok(())
    }

    pass_over_scalars!();
}
