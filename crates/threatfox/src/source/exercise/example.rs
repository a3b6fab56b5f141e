//! Example Tracker: its list of hosts as CSV.

use std::io::BufRead;

use super::row::{Row, record};
use super::table::{self, head};
use super::{Reading, Report, Sink, Source};
use crate::error::Error;
use crate::record::Column;

pub(super) struct Example;

impl Source for Example {
    fn name(&self) -> &'static str {
        "example"
    }

    fn recognizes(&self, start: &str) -> bool {
        start.starts_with("# Example Tracker")
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        let is_header = |names: &[String]| names.iter().any(|name| name == "host");
        let head = head(name, content, &is_header, &["host"])?;
        table::read(name, "example_csv", content, head, &mut take, sink)
    }
}

fn take(row: &Row<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    sink.record(&record(&[
        (Column::Ioc, row.get(&["host"])),
        (Column::IocType, "domain"),
        (Column::MalwarePrintable, row.get(&["family"])),
        (Column::FirstSeen, row.get(&["seen"])),
    ]))
}
