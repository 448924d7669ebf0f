//! Keys that stand twice in one object: JSON allows them, but no two readers agree on which one counts.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::Violation;

/// The longest pointer that a message repeats, in bytes: whoever sends the request chooses its keys.
const MAX_SHOWN_POINTER: usize = 100;

/// A violation for each key of `text` that stands more than once in its object.
#[must_use]
pub fn repeated_keys(text: &str) -> Vec<Violation> {
    let found = RefCell::default();
    let walk = Walk {
        pointer: String::new(),
        found: &found,
    };
    // The text has been parsed before: what it is, is known.
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(text));
    let places = found.into_inner();
    let violation = |pointer: String| {
        if pointer.len() > MAX_SHOWN_POINTER {
            Violation::of_request("", "has a key with a long name that stands more than once")
        } else {
            Violation::of_request(
                &pointer,
                "stands more than once; every key may stand only once",
            )
        }
    };
    places.into_iter().map(violation).collect()
}

/// Walks over a value, and notes the JSON Pointers (RFC 6901) of the repeated keys.
struct Walk<'a> {
    pointer: String,
    found: &'a RefCell<BTreeSet<String>>,
}

impl Walk<'_> {
    fn step(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self {
            pointer: format!("{}/{name}", self.pointer),
            found: self.found,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let member = self.step(&key);
            if !keys.insert(key) {
                self.found.borrow_mut().insert(member.pointer.clone());
            }
            map.next_value_seed(member)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(()) = list.next_element_seed(self.step(&index.to_string()))? {
            index += 1;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
