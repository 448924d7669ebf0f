//! A page of a list is read as it comes: one entity after the other, none kept.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::call::decompression::MAX_BODY;
use crate::call::streamed_body::{Loss, Unread};
use crate::output::failure::Failure;

/// Takes an entity. Returns how long it had to wait for somebody to take its output; `None` if it wants no more.
pub(crate) type Take<'a> = dyn FnMut(&RawValue) -> Option<Duration> + 'a;

/// Hands each entity of a page to `take`, and returns the link to the next page, if there is one. The time for which
/// `take` had to wait does not count. Fails if the page is cut short, slow, not a list, or has an entity of more than
/// [`MAX_BODY`] bytes; or if `take` wants no more.
pub(crate) fn read(unread: Unread, take: &mut Take<'_>) -> Result<Option<String>, Failure> {
    let Unread { body, loss } = unread;
    let room = Cell::new(MAX_BODY);
    let body = Limited { body, room: &room };
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body));
    let page = Page {
        room: &room,
        loss: &loss,
        take,
    };
    let next = json
        .deserialize_map(page)
        .and_then(|next| json.end().map(|()| next));
    match next {
        Ok(_) if loss.broke_off() => Err(loss.explain_body(io::ErrorKind::UnexpectedEof.into())),
        Ok(next) => Ok(next),
        Err(error) => Err(explain(error, &loss)),
    }
}

/// The failure of a page; what stands in it is not repeated.
fn explain(error: serde_json::Error, loss: &Loss) -> Failure {
    match error.classify() {
        Category::Io => match io::Error::from(error) {
            error if error.kind() == io::ErrorKind::FileTooLarge => {
                loss.not_as_expected(&format!("with an action of more than {MAX_BODY} bytes"))
            }
            error => loss.explain_body(error),
        },
        Category::Eof => loss.explain_body(io::ErrorKind::UnexpectedEof.into()),
        Category::Syntax => loss.not_as_expected("that is not JSON").because(&error),
        Category::Data => loss.not_as_expected("that is not a list of machine actions"),
    }
}

/// A body of which so much may be read before there is room again.
struct Limited<'a, R> {
    body: R,
    room: &'a Cell<usize>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        let left = self.room.get().checked_sub(count);
        self.room.set(left.ok_or(io::ErrorKind::FileTooLarge)?);
        Ok(count)
    }
}

/// The object that a page is.
struct Page<'a, 'take> {
    room: &'a Cell<usize>,
    loss: &'a Loss,
    take: &'a mut Take<'take>,
}

impl<'de> Visitor<'de> for Page<'_, '_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Self { room, loss, take } = self;
        let (mut has_entities, mut has_link, mut next) = (false, false, None);
        while let Some(key) = members.next_key::<String>()? {
            room.set(MAX_BODY);
            match key.as_str() {
                "value" if has_entities => return Err(A::Error::custom("two lists")),
                "value" => {
                    has_entities = true;
                    members.next_value_seed(Entities { room, loss, take })?;
                }
                "@odata.nextLink" if has_link => return Err(A::Error::custom("two links")),
                "@odata.nextLink" => {
                    has_link = true;
                    next = members.next_value()?;
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        match has_entities {
            true => Ok(next),
            false => Err(A::Error::custom("no list")),
        }
    }
}

/// The list in a page.
struct Entities<'a, 'take> {
    room: &'a Cell<usize>,
    loss: &'a Loss,
    take: &'a mut Take<'take>,
}

impl<'de> DeserializeSeed<'de> for Entities<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entities<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entities: A) -> Result<(), A::Error> {
        self.room.set(MAX_BODY);
        while let Some(entity) = entities.next_element::<Box<RawValue>>()? {
            let waited = (self.take)(&entity);
            let waited = waited.ok_or_else(|| A::Error::custom("no more is wanted"))?;
            self.loss.was_held_up(waited);
            self.room.set(MAX_BODY);
        }
        Ok(())
    }
}
