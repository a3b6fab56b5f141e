//! An event of a log. Its id, time and provider are read in place, without building the event.

use jiff::Timestamp;

use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::template::{BINARY_XML, Instance};
use crate::text::Utf16;
use crate::tree::{Node, build};
use crate::value::{Value, unix_time};

/// The start of nearly every record: a fragment header, then a template instance's token.
const INSTANCE: &[u8] = &[0x0f, 1, 1, 0, 0x0c];

/// An event.
pub struct Event<'c> {
    provider: Option<Utf16<'c>>,
    id: Option<u64>,
    time: Option<f64>,
    whole: bool,
    at: usize,
    data: Data<'c>,
}

/// Where the event's fields are.
enum Data<'c> {
    /// It has none.
    None,
    /// In the log, as values of a template.
    Instance(Instance<'c>),
    /// In the event, which had to be built.
    Built(Value<'c>),
}

/// Where a template's values that matter go. `None` where the template has another form than events have: then the event
/// is built.
pub(crate) struct Places<'c> {
    head: Option<Head<'c>>,
    data: Option<Vec<Option<u16>>>,
}

struct Head<'c> {
    provider: Place<'c>,
    id: u16,
    time: u16,
    data: u16,
}

enum Place<'c> {
    Literal(Utf16<'c>),
    Substitution(u16),
}

impl<'c> Places<'c> {
    pub fn of(root: &Node<'c>, wanted: &[&str]) -> Self {
        Self {
            head: Head::of(root),
            data: data_places(root, wanted),
        }
    }
}

impl<'c> Head<'c> {
    /// `<Event><System><Provider Name=…/><EventID Qualifiers=…>…</EventID>…</System>…</Event>`
    fn of(root: &Node<'c>) -> Option<Self> {
        let event = root.get("Event")?;
        let system = event.get("System")?;
        let id = system.get("EventID")?;
        // parse_evtx gives EventID.Value only where there are Qualifiers.
        id.get("Qualifiers")?;
        if event.get("EventData").is_some() {
            return None;
        }
        Some(Self {
            provider: match system.get("Provider")?.get("Name")? {
                Node::Literal(Value::Text(text)) => Place::Literal(*text),
                Node::Substitution(id) => Place::Substitution(*id),
                _ => return None,
            },
            id: id.get("").and_then(substitution)?,
            time: system
                .get("TimeCreated")?
                .get("SystemTime")
                .and_then(substitution)?,
            data: event.get("").and_then(substitution)?,
        })
    }
}

fn substitution(node: &Node<'_>) -> Option<u16> {
    match node {
        Node::Substitution(id) => Some(*id),
        _ => None,
    }
}

/// `<EventData><Data Name="…">…</Data>…</EventData>`: where the values of the wanted fields go.
fn data_places(root: &Node<'_>, wanted: &[&str]) -> Option<Vec<Option<u16>>> {
    let Node::List(data) = root.get("EventData")?.get("Data")? else {
        return None;
    };
    let mut places = vec![None; wanted.len()];
    for item in data {
        let Node::Literal(Value::Text(name)) = item.get("Name")? else {
            return None;
        };
        let value = substitution(item.get("")?)?;
        if let Some(at) = wanted.iter().position(|wanted| *name == **wanted) {
            places[at] = Some(value);
        }
    }
    Some(places)
}

impl<'c> Event<'c> {
    /// Reads the record whose binary XML begins at an offset.
    pub(crate) fn read(chunk: &Chunk<'c>, at: usize) -> Self {
        let read = || Self::in_place(chunk, at).unwrap_or_else(|| Self::built(chunk, at));
        let (mut event, whole) = chunk.reads_all(read);
        event.whole = whole;
        event
    }

    fn in_place(chunk: &Chunk<'c>, at: usize) -> Option<Self> {
        let record = Self::instance(chunk, Cursor::new(chunk.bytes, at))?;
        let head = record.template.places.head.as_ref()?;
        let (0x06, _, id) = record.value(head.id)? else {
            return None;
        };
        let (0x11, _, time) = record.value(head.time)? else {
            return None;
        };
        let provider = match head.provider {
            Place::Literal(text) => text,
            Place::Substitution(id) => match record.value(id)? {
                (0x01, _, text) => Utf16::new(text)?,
                _ => return None,
            },
        };
        let data = match record.value(head.data)? {
            (0x00, ..) => Data::None,
            (BINARY_XML, cursor, _) => Data::Instance(
                Self::instance(chunk, cursor).filter(|data| data.template.places.data.is_some())?,
            ),
            _ => return None,
        };
        Some(Self {
            provider: Some(provider),
            id: Some(u16::from_le_bytes(*id.first_chunk()?).into()),
            time: Some(unix_time(u64::from_le_bytes(*time.first_chunk()?))),
            whole: true,
            at,
            data,
        })
    }

    fn instance(chunk: &Chunk<'c>, mut cursor: Cursor<'c>) -> Option<Instance<'c>> {
        if cursor.take(INSTANCE.len()) != INSTANCE {
            return None;
        }
        Instance::read(chunk, &mut cursor, 0)
    }

    fn built(chunk: &Chunk<'c>, at: usize) -> Self {
        let event = build(chunk, at, 0);
        let system = event.get("Event").and_then(|event| event.get("System"));
        let get = |name: &str, part: &str| system?.get(name)?.get(part);
        // A collector writes an id without qualifiers as the text of its element.
        let id = get("EventID", "Value").or_else(|| system?.get("EventID"));
        Self {
            provider: get("Provider", "Name").and_then(Value::text),
            id: id.and_then(Value::number),
            time: get("TimeCreated", "SystemTime").and_then(seconds),
            whole: true,
            at,
            data: Data::Built(event),
        }
    }

    /// The name of the provider that wrote it (`System.Provider.Name`).
    #[must_use]
    pub fn provider(&self) -> Option<Utf16<'c>> {
        self.provider
    }

    /// The event's number (`System.EventID.Value`, or `System.EventID` of an event that was forwarded).
    #[must_use]
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// When it was written, seconds since 1970 (`System.TimeCreated.SystemTime`).
    #[must_use]
    pub fn time(&self) -> Option<f64> {
        self.time
    }

    /// Whether all of its binary XML could be read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Writes the text of the n-th wanted field of `EventData` (see [`Content::of`](crate::Content::of)). `false` where it
    /// has none: it is missing or without a value, a list or a structure.
    pub fn text(&self, chunk: &Chunk<'c>, n: usize, out: &mut String) -> bool {
        match &self.data {
            Data::None => false,
            Data::Instance(instance) => {
                let places = instance.template.places.data.as_ref();
                let place = places.and_then(|places| *places.get(n)?);
                let value = place.and_then(|place| instance.value(place));
                value.is_some_and(|(kind, _, bytes)| {
                    kind != BINARY_XML && Value::read(kind, bytes).write_text(out)
                })
            }
            Data::Built(event) => {
                let field = || {
                    let data = event.get("Event")?.get("EventData")?;
                    let name = chunk.wanted.get(n)?;
                    data.get(name).or_else(|| in_list(data.get("Data")?, name))
                };
                field().is_some_and(|value| value.write_text(out))
            }
        }
    }

    /// The whole event as `parse_evtx` gives it; `None` where the record holds none, or more than a chunk can.
    #[must_use]
    pub fn build(&self, chunk: &Chunk<'c>) -> Option<Value<'c>> {
        let record = match &self.data {
            Data::Built(event) => event.get("Event").cloned(),
            _ => build(chunk, self.at, 0).get("Event").cloned(),
        };
        record.filter(|event| matches!(event, Value::Fields(_)) && !chunk.is_spent())
    }
}

/// Seconds since 1970 of a time, which a collector writes as text.
fn seconds(time: &Value<'_>) -> Option<f64> {
    /// Of 100 ns between 1601 and 1970.
    const EPOCH: i128 = 116_444_736_000_000_000;
    match time {
        Value::Float(seconds) => Some(*seconds),
        Value::Text(text) => {
            let time: Timestamp = text.to_string().parse().ok()?;
            let filetime = time.as_nanosecond() / 100 + EPOCH;
            Some(unix_time(u64::try_from(filetime).ok()?))
        }
        _ => None,
    }
}

/// A field where not each of `Data` has a name and a value: then `EventData` is one `Data` or a list of them.
fn in_list<'v, 'c>(data: &'v Value<'c>, name: &str) -> Option<&'v Value<'c>> {
    let named = |item: &&Value<'c>| {
        item.get("Name")
            .and_then(Value::text)
            .is_some_and(|text| text == *name)
    };
    match data {
        Value::List(items) => {
            let values = items.iter().rev().filter(named);
            values.into_iter().find_map(|item| item.get("Value"))
        }
        item => Some(item).filter(named)?.get("Value"),
    }
}
