//! The exercise of CONTRIBUTING.md, "add a source": its code is compiled here, and reads its sample.

use super::example::Example;
use super::{Reading, SOURCES, Sink, Source};
use crate::error::Error;
use crate::record::{Column, RawRecord};
use crate::reject::Reject;

#[derive(Default)]
struct Taken(Vec<[String; 3]>);

impl Sink for Taken {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        let columns = [Column::Ioc, Column::MalwarePrintable, Column::FirstSeen];
        self.0
            .push(columns.map(|column| raw.get(column).to_owned()));
        Ok(())
    }

    fn unreadable(&mut self, _: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        panic!("{reject:?}");
    }
}

/// The code block of this language in the exercise.
fn block(language: &str) -> String {
    let page = include_str!("../../../../../CONTRIBUTING.md");
    let (_, exercise) = page.split_once("## Exercise: add a source").unwrap();
    let (_, rest) = exercise.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let lines = block
        .lines()
        .map(|line| line.strip_prefix("   ").unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn the_source_of_the_exercise_reads_its_sample() {
    assert_eq!(block("rust"), include_str!("example.rs").trim_end());
    let sample = block("csv") + "\n";

    assert!(Example.recognizes(&sample));
    // The page puts it before those that take any list.
    let before = SOURCES.iter().take_while(|source| source.name() != "list");
    let taken: Vec<_> = before
        .filter(|source| source.recognizes(&sample))
        .map(|source| source.name())
        .collect();
    assert!(taken.is_empty(), "{taken:?} recognize it too");
    let mut rows = Taken::default();
    Example
        .read(
            "sample.csv",
            &Reading::default(),
            &mut sample.as_bytes(),
            &mut rows,
        )
        .unwrap();

    assert_eq!(
        rows.0,
        [["c2.evil.example", "Loader", "2026-11-01 00:00:00"].map(str::to_owned)]
    );
}
