//! The summary of a run: counts that add up (`read` = `kept` + the sum of `dropped`), for people and as one JSON object.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Serialize, Serializer};

use crate::match_key::Kind;
use crate::output::Written;
use crate::record::{Column, RawRecord, Record};
use crate::reject::{Reason, Reject};
use crate::source::Report;

/// Records, counted while they come.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Records read.
    pub read: u64,
    /// Records that are in the result.
    pub kept: u64,
    /// Records that are not, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// These reasons.
    #[serde(skip)]
    pub(crate) reasons: BTreeSet<Reason>,
    /// The first records dropped for a reason: their ids, else their indicators, else where they stand.
    pub examples: BTreeMap<&'static str, Vec<String>>,
    /// Types that this version does not know, by name.
    pub unknown_types: BTreeMap<String, u64>,
    /// Records kept after something was cut off: a path after a domain, a doubled scheme.
    pub repaired: u64,
    /// URLs kept without a key for their host, as it is a shared service.
    pub shared_url_hosts: u64,
}

impl Counts {
    pub(crate) fn keep(&mut self, record: &Record<'_>, spared: bool) {
        self.kept += 1;
        self.repaired += u64::from(record.repaired);
        self.shared_url_hosts += u64::from(spared);
    }

    pub(crate) fn drop(&mut self, reject: &Reject, raw: &RawRecord<'_>) {
        let name = reject.reason.name();
        *self.dropped.entry(name).or_default() += 1;
        self.reasons.insert(reject.reason);
        let examples = self.examples.entry(name).or_default();
        // Examples of the common reasons say nothing: --rejects has them all.
        if examples.len() < 3
            && !matches!(
                reject.reason,
                Reason::LowConfidence | Reason::Superseded | Reason::TooOld
            )
        {
            let names = [raw.get(Column::Id), raw.get(Column::Ioc), &reject.detail];
            let name = names.into_iter().find(|name| !name.is_empty());
            let name = crate::text::clean(name.unwrap_or_default());
            examples.push(name.chars().take(100).collect());
        }
    }

    pub(crate) fn unknown_type(&mut self, name: &str) {
        // Bounded: a hostile file must not fill the memory with names.
        if self.unknown_types.len() < 100 || self.unknown_types.contains_key(name) {
            let name: String = crate::text::clean(name).chars().take(64).collect();
            *self.unknown_types.entry(name).or_default() += 1;
        }
    }

    /// The reasons in words.
    #[must_use]
    pub fn dropped_text(&self) -> String {
        if self.dropped.is_empty() {
            return "none dropped".to_owned();
        }
        let reasons: Vec<_> = self
            .dropped
            .iter()
            .map(|(reason, n)| format!("{} {n}", reason.replace('_', " ")))
            .collect();
        reasons.join(", ")
    }
}

/// Rows, counted while they are written.
#[derive(Debug, Clone, Default)]
pub struct RowCounts {
    by_kind: [u64; Kind::ALL.len()],
    by_warning: BTreeMap<String, u64>,
    cut: BTreeMap<&'static str, u64>,
    newest: Option<i64>,
    /// By the names in the column `source`, several of them with `;` between: there are few.
    by_source: Vec<(String, OfSource)>,
}

/// The rows of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfSource {
    /// How many. One that other sources have too counts here and there.
    pub rows: u64,
    /// The latest activity among them, seconds since 1970.
    pub newest: Option<i64>,
}

impl OfSource {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.newest = self.newest.max(other.newest);
    }
}

impl RowCounts {
    /// Counts a row. Its activity is the later of both times, seconds since 1970.
    pub(crate) fn add(&mut self, kind: Kind, first_seen: Option<i64>, last_seen: Option<i64>) {
        self.by_kind[kind as usize] += 1;
        self.newest = self.newest.max(first_seen).max(last_seen);
    }

    /// Counts each name in the column `warning` of a row.
    pub(crate) fn add_warning(&mut self, warning: &str) {
        if warning.is_empty() {
            return;
        }
        for name in warning.split(';') {
            match self.by_warning.get_mut(name) {
                Some(count) => *count += 1,
                None => _ = self.by_warning.insert(name.to_owned(), 1),
            }
        }
    }

    /// Counts a row whose list in a column was cut.
    pub(crate) fn add_cut(&mut self, column: &'static str, cut: bool) {
        if cut {
            *self.cut.entry(column).or_default() += 1;
        }
    }

    /// The rows whose lists were cut, by column.
    #[must_use]
    pub fn cut(&self) -> &BTreeMap<&'static str, u64> {
        &self.cut
    }

    /// Counts a row for its sources.
    pub(crate) fn add_source(&mut self, sources: &str, activity: Option<i64>) {
        let row = OfSource {
            rows: 1,
            newest: activity,
        };
        self.counted(sources).add(row);
    }

    fn counted(&mut self, sources: &str) -> &mut OfSource {
        let known = self
            .by_source
            .iter()
            .position(|(known, _)| known == sources);
        let at = known.unwrap_or_else(|| {
            self.by_source
                .push((sources.to_owned(), OfSource::default()));
            self.by_source.len() - 1
        });
        &mut self.by_source[at].1
    }

    /// The rows of each source, by its name.
    #[must_use]
    pub fn by_source(&self) -> BTreeMap<&str, OfSource> {
        let mut sources = BTreeMap::<_, OfSource>::new();
        for (names, counted) in &self.by_source {
            for name in names.split(';') {
                sources.entry(name).or_default().add(*counted);
            }
        }
        sources
    }

    /// Adds what was counted of other rows.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (sources, counted) in &other.by_source {
            self.counted(sources).add(*counted);
        }
        for (count, more) in self.by_kind.iter_mut().zip(other.by_kind) {
            *count += more;
        }
        for (name, more) in &other.by_warning {
            *self.by_warning.entry(name.clone()).or_default() += more;
        }
        for (column, more) in &other.cut {
            *self.cut.entry(column).or_default() += more;
        }
        self.newest = self.newest.max(other.newest);
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    fn by_kind(&self) -> BTreeMap<&'static str, u64> {
        Kind::ALL
            .iter()
            .map(|kind| (kind.name(), self.by_kind[*kind as usize]))
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}

/// The summary of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The inputs, by name, with a comma between.
    pub source: String,
    /// Why this source, where the program chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Each input.
    pub inputs: Vec<Report>,
    /// The records.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows written.
    pub rows: u64,
    /// Rows by kind of their key.
    #[serde(serialize_with = "kinds")]
    pub keys: RowCounts,
    /// Rows by the warning lists that their keys are in, and by what of the policy weakens them.
    pub warnings: BTreeMap<String, u64>,
    /// Rows with more ports or names than a row may have, by column: the first of them are there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cut: BTreeMap<&'static str, u64>,
    /// The latest first or last seen among them, RFC 3339 in UTC.
    pub newest_activity: Option<String>,
    /// The part of each source in the feed.
    pub parts: Vec<Part>,
    /// The output.
    #[serde(flatten)]
    pub written: Written,
}

/// A source's part of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The source's name.
    pub source: String,
    /// `new`; `kept` where the part is the earlier feed's; `missing` where there was none.
    pub state: &'static str,
    /// The rows. One that other sources have too counts here and there.
    pub rows: u64,
    /// The latest first or last seen among them, RFC 3339 in UTC.
    pub newest_activity: Option<String>,
    /// Why the part is not new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Part {
    /// Puts it together.
    #[must_use]
    pub fn new(source: &str, of: OfSource, state: &'static str, problem: Option<String>) -> Self {
        Self {
            source: source.to_owned(),
            state,
            rows: of.rows,
            newest_activity: time_text(of.newest),
            problem,
        }
    }

    /// The part for people, in a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { source, rows, .. } = self;
        let newest = self.newest_activity.as_deref().unwrap_or("unknown");
        let problem = self.problem.as_deref().unwrap_or_default();
        match self.state {
            "kept" => format!(
                "{source}: its {rows} rows of the feed in use stay (newest activity {newest}), as {problem}"
            ),
            "missing" => format!("{source}: nothing, as {problem}"),
            _ => format!("{source}: {rows} rows, newest activity {newest}"),
        }
    }
}

fn time_text(second: Option<i64>) -> Option<String> {
    let time = jiff::Timestamp::from_second(second?).ok()?;
    Some(time.to_string())
}

fn kinds<S: Serializer>(rows: &RowCounts, serializer: S) -> Result<S::Ok, S::Error> {
    rows.by_kind().serialize(serializer)
}

impl Summary {
    /// Puts the parts together.
    #[must_use]
    pub fn new(inputs: Vec<Report>, counts: Counts, rows: RowCounts, written: Written) -> Self {
        let source = inputs
            .iter()
            .map(|input| input.name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let parts = rows
            .by_source()
            .into_iter()
            .map(|(source, of)| Part::new(source, of, "new", None))
            .collect();
        Self {
            source,
            reason: None,
            inputs,
            counts,
            rows: rows.total(),
            newest_activity: time_text(rows.newest),
            parts,
            warnings: rows.by_warning.clone(),
            cut: rows.cut.clone(),
            keys: rows,
            written,
        }
    }

    /// The summary for people, in a few lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let kinds: Vec<_> = self
            .keys
            .by_kind()
            .into_iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        let mut text = format!(
            "{}\n  read {}, kept {}, dropped: {}\n  {} rows ({}), newest activity {}\n  {} bytes to {}, sha256 {}",
            self.source,
            self.counts.read,
            self.counts.kept,
            self.counts.dropped_text(),
            self.rows,
            kinds.join(", "),
            self.newest_activity.as_deref().unwrap_or("unknown"),
            self.written.bytes,
            self.written.output,
            self.written.sha256,
        );
        // Where there is one, the lines above say it all.
        for part in self.parts.iter().filter(|_| self.parts.len() > 1) {
            let _ = write!(text, "\n  {}", part.to_text());
        }
        if !self.warnings.is_empty() {
            let names = self.warnings.iter();
            let names: Vec<_> = names.map(|(name, n)| format!("{name} {n}")).collect();
            // Writing to a String does not fail.
            let _ = write!(text, "\n  rows with a warning: {}", names.join(", "));
        }
        for (column, n) in &self.cut {
            let _ = write!(
                text,
                "\n  {n} rows have more in the column {column} than a row may hold: it has the first of them"
            );
        }
        for input in self
            .inputs
            .iter()
            .filter(|input| !input.unknown_columns.is_empty())
        {
            let names: Vec<_> = input.unknown_columns.iter().map(String::as_str).collect();
            // Writing to a String does not fail.
            let _ = write!(
                text,
                "\n  new columns in {}, not used: {}",
                input.name,
                names.join(", ")
            );
        }
        for input in self.inputs.iter().filter(|input| input.longer_records > 0) {
            let _ = write!(
                text,
                "\n  {} records of {} have more fields than its header; what is over is not used",
                input.longer_records, input.name
            );
        }
        for input in self.inputs.iter().filter(|input| input.unread_values > 0) {
            let _ = write!(
                text,
                "\n  {} dates and confidences of {} cannot be read; their indicators are kept without them",
                input.unread_values, input.name
            );
        }
        text
    }
}
