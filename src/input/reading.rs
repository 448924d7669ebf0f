//! The one reading of a request: its text becomes a value once, and what is checked is what is sent.
//!
//! A visitor of our own builds the value: the library's own gives some keys a meaning that no other parser knows. What
//! lies deeper than the schema knows is read over, but not built, so that no request costs much more than its text.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::Read;
use serde_json::{Map, Value};

use crate::output::violation::{Violation, Violations};

/// The depth of the schema's leaves: the request is at 0, its two objects at 1, their properties at 2.
const LEAVES: u8 = 2;

/// The longest names that a pointer in a message has, in bytes: whoever sends the request chooses its keys.
const MAX_SHOWN_POINTER: usize = 100;

/// What one request says.
pub(crate) struct Reading {
    /// The request; a list, and an object among the schema's leaves, is left empty.
    pub(super) value: Value,
    /// The keys that an object has more than once: JSON allows them, but no two parsers agree on which one counts.
    pub(super) repeated: Violations,
}

impl Reading {
    /// Reads one value from `json`; fails if what comes is none.
    pub(super) fn of<'de>(
        json: &mut serde_json::Deserializer<impl Read<'de>>,
    ) -> Result<Self, serde_json::Error> {
        let repeated = RefCell::default();
        let request = Part {
            depth: 0,
            name: "",
            repeated: &repeated,
        };
        let value = request.deserialize(json)?;
        Ok(Self {
            value,
            repeated: repeated.into_inner(),
        })
    }
}

/// A part of the request that is still to be read.
struct Part<'a> {
    depth: u8,
    /// The key that it stands under; of use only down to the schema's two objects.
    name: &'a str,
    repeated: &'a RefCell<Violations>,
}

impl Part<'_> {
    fn note_repeated(&self, key: &str) {
        let mut repeated = self.repeated.borrow_mut();
        repeated.add(|| match self.pointer_to(key) {
            Some(pointer) => {
                Violation::of_request(&pointer, "is a duplicate key; write each key once")
            }
            None => Violation::of_request("", "has a duplicate key with a long name"),
        });
    }

    /// The JSON Pointer (RFC 6901) to a member; `None` if it is too long to be shown.
    fn pointer_to(&self, key: &str) -> Option<String> {
        if self.name.len() + key.len() > MAX_SHOWN_POINTER {
            return None;
        }
        let mut pointer = String::new();
        for name in [self.name, key]
            .into_iter()
            .skip(usize::from(self.depth == 0))
        {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        }
        Some(pointer)
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        if self.depth == LEAVES {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Object(object));
        }
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                self.note_repeated(&key);
            }
            let value = entries.next_value_seed(Part {
                depth: self.depth + 1,
                name: &key,
                repeated: self.repeated,
            })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(Vec::new()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
}
