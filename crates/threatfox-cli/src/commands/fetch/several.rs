//! A feed of several sources: one that fails, or gives much less than before, leaves its part of the feed in use.

use std::collections::BTreeMap;

use threatfox::carry;
use threatfox::source::Input;
use threatfox::summary::{OfSource, Part, RowCounts, Summary};

use super::super::feed::{BrokenPart, Draft, Inputs, PartInput, Prepared};
use crate::feed_options::{By, FeedOptions};
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
        let mut summary = draft.publish(prepared)?;
        summary.parts = parts;
        return Ok(summary);
    }
}

/// The feed in use, and how many rows each source has in it.
struct Earlier {
    feed: Input,
    rows: BTreeMap<String, u64>,
}

impl Earlier {
    /// Nothing, where there is no feed that could be read to its end: a part of it would be a part of a part.
    fn read(options: &FeedOptions) -> Self {
        let feed = Input::new(&options.output);
        let readable = options.by == By::Key && options.output.is_file();
        let rows = readable.then(|| carry::rows_by_source(&feed).ok());
        Self {
            feed,
            rows: rows.flatten().unwrap_or_default(),
        }
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
