//! A feed of several sources: one that fails, or gives much less than before, leaves its part of the feed in use.

use std::collections::BTreeMap;
use std::fs;

use threatfox::Error;
use threatfox::carry::{self, InUse};
use threatfox::source::Input;
use threatfox::summary::{OfSource, Part, RowCounts, Summary};

use super::super::feed::{BrokenPart, Draft, Inputs, PartInput, Prepared};
use crate::feed_options::FeedOptions;
use crate::network::Network;
use crate::say::say;

/// One source of a feed.
pub struct Source {
    /// Its name in the feed.
    pub name: String,
    /// Its records, or the reason why its part of the feed in use stays.
    pub got: Result<Input, String>,
}

/// Makes the feed of these sources.
///
/// # Errors
/// All of them failed, or one did whose part nothing can stand for: then the feed in use stays as it is.
pub fn build(
    sources: &mut [Source],
    options: &FeedOptions,
    prepared: &Prepared,
    network: &Network,
) -> anyhow::Result<Summary> {
    let earlier = Earlier::read(options);
    loop {
        check_some_left(sources)?;
        earlier.check_parts_can_stay(sources, options)?;
        let (draft, kept) = match draft(sources, &earlier, options, prepared) {
            Ok(made) => made,
            Err(error) => {
                give_up_on(sources, &error, network).ok_or(error)?;
                continue;
            }
        };
        if let Some((source, problem)) = shrunk(sources, &earlier, draft.rows(), options) {
            sources[source].got = Err(problem);
            continue;
        }
        let parts = parts_of(sources, &kept, &draft.rows().by_source());
        for part in parts.iter().filter(|part| part.problem.is_some()) {
            say!("warning: {}", part.to_text());
        }
        if let Some(damage) = earlier.damage.as_ref().filter(|_| !kept.is_empty()) {
            say!(
                "warning: the feed in use is damaged, so that the rows before this stay: {damage}"
            );
        }
        let mut summary = draft.publish(prepared)?;
        summary.parts = parts;
        return Ok(summary);
    }
}

/// The feed in use, and how many rows each source has in it.
struct Earlier {
    feed: Input,
    rows: BTreeMap<String, u64>,
    damage: Option<Error>,
    /// Whether something is in use whose rows cannot be taken over: rows by IOC, JSON lines.
    cannot_stay: bool,
}

impl Earlier {
    fn read(options: &FeedOptions) -> Self {
        let feed = Input::new(&options.output);
        let there = fs::metadata(&options.output);
        let (in_use, cannot_stay) = if there.is_ok_and(|file| file.is_file() && file.len() > 0) {
            let in_use = carry::rows_by_source(&feed);
            let cannot_stay = in_use.is_err();
            (in_use.unwrap_or_default(), cannot_stay)
        } else {
            (InUse::default(), false)
        };
        Self {
            feed,
            rows: in_use.rows,
            damage: in_use.damage,
            cannot_stay,
        }
    }

    /// Where a source failed, its rows must not be lost.
    fn check_parts_can_stay(
        &self,
        sources: &[Source],
        options: &FeedOptions,
    ) -> anyhow::Result<()> {
        if !self.cannot_stay || options.force {
            return Ok(());
        }
        for source in sources {
            if let Err(problem) = &source.got {
                anyhow::bail!(
                    "{}: {problem}: rows by IOC and JSON lines cannot keep the part of one source, so {} stays as it is: try again later, make a feed by key as CSV, or do without the part with --force",
                    source.name,
                    options.output.display()
                );
            }
        }
        Ok(())
    }
}

fn check_some_left(sources: &[Source]) -> anyhow::Result<()> {
    if sources.iter().any(|source| source.got.is_ok()) {
        return Ok(());
    }
    let mut failed = sources.iter().filter_map(|source| {
        let problem = source.got.as_ref().err()?;
        Some((source.name.as_str(), problem.as_str()))
    });
    let (first, problem) = failed.next().unwrap_or_default();
    let mut alone = true;
    for (name, problem) in failed {
        alone = false;
        say!("{name}: {problem}");
    }
    Err(if alone {
        anyhow::anyhow!("{first}: {problem}")
    } else {
        anyhow::anyhow!("no source gave anything new (the first was {first}): {problem}")
    })
}

/// Writes a feed of what the sources gave and of the parts that stay; tells which parts do.
fn draft(
    sources: &[Source],
    earlier: &Earlier,
    options: &FeedOptions,
    prepared: &Prepared,
) -> anyhow::Result<(Draft, Vec<String>)> {
    let mut kept = Vec::new();
    let mut parts = Vec::new();
    for source in sources {
        match &source.got {
            Ok(input) => parts.push(PartInput::New(input.clone())),
            Err(_) if earlier.rows.contains_key(&source.name) => {
                kept.push(source.name.clone());
                parts.push(PartInput::Kept {
                    feed: earlier.feed.clone(),
                    source: source.name.clone(),
                });
            }
            // Numbered as the sources are.
            Err(_) => parts.push(PartInput::Nothing),
        }
    }
    let draft = Draft::write(&Inputs::Parts(parts), options, prepared)?;
    Ok((draft, kept))
}

/// Marks the source whose input could not be read. Nothing where the error is none of a source.
fn give_up_on(sources: &mut [Source], error: &anyhow::Error, network: &Network) -> Option<()> {
    let BrokenPart { number, error } = error.downcast_ref()?;
    let source = sources.get_mut(*number)?;
    source.got.as_ref().ok()?;
    // An answer that is quoted may have echoed the key.
    source.got = Err(network.without_key(&error.to_string()));
    Some(())
}

/// The first source that has less than half of its rows in the feed in use.
fn shrunk(
    sources: &[Source],
    earlier: &Earlier,
    rows: &RowCounts,
    options: &FeedOptions,
) -> Option<(usize, String)> {
    if options.force {
        return None;
    }
    let now = rows.by_source();
    let mut new = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| source.got.is_ok());
    new.find_map(|(number, source)| {
        let before = *earlier.rows.get(&source.name)?;
        let now = now.get(source.name.as_str()).map_or(0, |of| of.rows);
        (now < before.div_ceil(2)).then(|| {
            let problem =
                format!("it has {now} rows now, less than half of the {before} in the feed in use");
            (number, problem)
        })
    })
}

fn parts_of(sources: &[Source], kept: &[String], rows: &BTreeMap<&str, OfSource>) -> Vec<Part> {
    let part = |source: &Source| {
        let of = rows.get(source.name.as_str()).copied().unwrap_or_default();
        let state = match &source.got {
            Ok(_) => "new",
            Err(_) if kept.contains(&source.name) => "kept",
            Err(_) => "missing",
        };
        Part::new(&source.name, of, state, source.got.as_ref().err().cloned())
    };
    sources.iter().map(part).collect()
}
