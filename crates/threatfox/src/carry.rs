//! The part of an earlier feed that a new one takes over, where its source cannot be asked.
//!
//! A row becomes records again, which go the way of all records: so today's filter and policy hold for them too. A feed has no tags,
//! reporters and malpedia ids, but says in the column `warning` which of them the policy weakened: that much is known. What several
//! sources said of a key is one row, and cannot be taken apart: a part has the families, times and warnings of the whole row.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::feed::{self, FeedRow};
use crate::match_key::Kind;
use crate::policy;
use crate::record::{Column, RawRecord};
use crate::source::{Input, Report, Sink};
use crate::url::{IocUrl, UrlHost};

/// What can be taken over of a feed.
#[derive(Debug, Default)]
pub struct InUse {
    /// How many rows each source has.
    pub rows: BTreeMap<String, u64>,
    /// Why the feed has no more: the rows before the damage count.
    pub damage: Option<Error>,
}

/// Counts the rows of a feed by source, as far as it can be read.
///
/// # Errors
/// It is not a feed that can be read: for example, JSON lines.
pub fn rows_by_source(feed: &Input) -> Result<InUse, Error> {
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    let damage = read_sound(feed, &mut |row| {
        for source in row.source.split(';') {
            match rows.get_mut(source) {
                Some(count) => *count += 1,
                None => _ = rows.insert(source.to_owned(), 1),
            }
        }
        Ok(())
    })?;
    Ok(InUse { rows, damage })
}

/// Hands over the rows before the damage, and tells what that is.
fn read_sound(
    feed: &Input,
    take: &mut dyn FnMut(&FeedRow<'_>) -> Result<(), Error>,
) -> Result<Option<Error>, Error> {
    let mut taken = Ok(());
    let read = feed::read(feed, &mut |row, _| {
        taken = take(row);
        match &taken {
            Ok(()) => Ok(()),
            // Any error ends the reading; the one that counts is kept.
            Err(_) => Err(Error::Empty {
                name: String::new(),
            }),
        }
    });
    taken?;
    match read {
        Ok(_) => Ok(None),
        Err(damage @ (Error::Unreadable { .. } | Error::BrokenFeed { .. })) => Ok(Some(damage)),
        Err(error) => Err(error),
    }
}

/// Hands the rows that a source has in a feed to the sink, as records of that source.
///
/// The host of a URL has a row because of the URL, which makes it again. So it is not taken over by itself; nor where it is a
/// domain or an address of another source too, since nobody knows that this one has named more than the URL.
///
/// # Errors
/// Those of [`rows_by_source`], and the sink's.
pub fn read(feed: &Input, source: &str, sink: &mut dyn Sink) -> Result<Report, Error> {
    let of_source = |row: &FeedRow<'_>| row.source.split(';').any(|name| name == source);
    let of_urls = hosts_of_urls(feed, &of_source)?;
    let mut records = 0;
    let damage = read_sound(feed, &mut |row| {
        if of_source(row) && row.kind != Kind::UrlHost && !of_urls.contains(row.key) {
            records += records_of(row, source, sink)?;
        }
        Ok(())
    })?;
    if damage.is_some() {
        // URLs stand behind their hosts. Where they are lost, the row of a host has the newest of them.
        read_sound(feed, &mut |row| {
            if of_source(row) && row.kind == Kind::UrlHost {
                records += records_of(row, source, sink)?;
            }
            Ok(())
        })?;
    }
    Ok(Report {
        name: format!("{source} of the feed in use"),
        format: "feed",
        records,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values: 0,
    })
}

/// The domains and addresses that other sources have too, and that are hosts of this one's URLs.
fn hosts_of_urls(
    feed: &Input,
    of_source: &dyn Fn(&FeedRow<'_>) -> bool,
) -> Result<BTreeSet<String>, Error> {
    let mut shared = BTreeSet::new();
    read_sound(feed, &mut |row| {
        let host = matches!(row.kind, Kind::Ip | Kind::Domain);
        if host && row.source.contains(';') && of_source(row) {
            shared.insert(row.key.to_owned());
        }
        Ok(())
    })?;
    let mut hosts = BTreeSet::new();
    if shared.is_empty() {
        return Ok(hosts);
    }
    read_sound(feed, &mut |row| {
        if row.kind == Kind::Url
            && of_source(row)
            && let Ok(url) = IocUrl::parse(row.ioc)
        {
            let host = match url.host {
                UrlHost::Address(ip) => ip.to_string(),
                UrlHost::Name(name) => name.as_str().to_owned(),
            };
            hosts.extend(shared.take(&host));
        }
        Ok(())
    })?;
    Ok(hosts)
}

/// One record for each port and family, as no record has two.
fn records_of(row: &FeedRow<'_>, source: &str, sink: &mut dyn Sink) -> Result<u64, Error> {
    let families: Vec<&str> = row.malware.split(';').collect();
    let threats: Vec<&str> = row.threat_type.split(';').collect();
    let ports: Vec<String> = row.ports.iter().map(u16::to_string).collect();
    let count = families.len().max(threats.len()).max(ports.len());
    let time = |second: Option<i64>| {
        let time = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
        time.map(|time| time.to_string()).unwrap_or_default()
    };
    let (first, last) = (time(row.first_seen), time(row.last_seen));
    let id = row.id.map(|id| id.to_string()).unwrap_or_default();
    let confidence = row.confidence.to_string();
    let weakened_by = |section| {
        let mut causes = row.warning.split(';').filter_map(policy::cause_of);
        let cause = causes.find(|(known, _)| *known == section);
        cause.map_or("", |(_, entry)| entry)
    };
    for n in 0..count {
        let mut raw = RawRecord::default();
        let port = ports.get(n % ports.len().max(1));
        // The indicator of an address may have the newest of its ports alone.
        let value = if row.kind == Kind::Ip && port.is_some() {
            row.key
        } else {
            row.indicator()
        };
        for (column, text) in [
            (Column::Id, &*id),
            (Column::Ioc, value),
            (Column::IocType, ioc_type(row)),
            (Column::Port, port.map_or("", |port| port)),
            (Column::Malware, weakened_by("malware")),
            (Column::MalwarePrintable, families[n % families.len()]),
            (Column::Tags, weakened_by("tags")),
            (Column::Reporter, weakened_by("reporters")),
            (Column::ThreatType, threats[n % threats.len()]),
            (Column::Confidence, &confidence),
            (Column::FirstSeen, &first),
            (Column::LastSeen, &last),
            (
                Column::Compromised,
                if row.compromised { "true" } else { "" },
            ),
            (Column::Link, row.link),
        ] {
            raw.set(column, text);
        }
        raw.set_source(source);
        sink.record(&raw)?;
    }
    Ok(count as u64)
}

/// The type of the indicator. A key of an address stands for it, whatever its type was called.
fn ioc_type<'a>(row: &FeedRow<'a>) -> &'a str {
    match row.kind {
        Kind::Ip => "ip:port",
        _ => row.ioc_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::{Filter, KeyStore, Normalizer};
    use crate::policy::Policy;
    use crate::shared_hosts::SharedHosts;
    use crate::source;
    use crate::table::Layout;
    use crate::warning::WarningLists;

    fn feed_of(read: impl FnOnce(&mut dyn Sink)) -> String {
        feed_with("", read)
    }

    /// The feed of what is read, with the text of a policy.
    fn feed_with(policy: &str, read: impl FnOnce(&mut dyn Sink)) -> String {
        let filter = Filter {
            policy: Policy::parse("policy.yaml", policy).unwrap(),
            ..Filter::default()
        };
        let mut normalizer = Normalizer::<KeyStore>::new(filter, SharedHosts::built_in());
        read(&mut normalizer);
        let (store, _) = normalizer.finish().unwrap();
        let (bytes, _) =
            feed::write(&store, &WarningLists::default(), Vec::new(), Layout::Csv).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_feed_of_one_source_is_taken_over_as_it_is() {
        let urlhaus = b"# id,dateadded,url,last_online,threat,tags,urlhaus_link\n\
            5,2026-03-15 04:50:08,http://bad.top:8080/x?a=1,2026-03-16 00:00:00,malware_download,Mozi,-\n\
            6,2026-03-15 04:50:08,http://198.41.5.7:81/,,malware_download,Mirai,-\n\
            7,2026-03-17 04:50:08,http://198.41.5.7:82/,,malware_download,Mozi,-\n";
        let feodo = br#"[{"ip_address": "198.41.5.9", "port": 443, "malware": "QakBot", "first_seen": "2022-06-04 21:24:53"},
            {"ip_address": "198.41.5.9", "port": 8443, "malware": "Emotet", "last_online": "2026-03-07"}]"#;
        for content in [&urlhaus[..], feodo] {
            let whole = feed_of(|sink| {
                _ = source::read(&Input::of_bytes(content, "x"), sink).unwrap();
            });
            let name = if content == feodo { "feodo" } else { "urlhaus" };
            let again = feed_of(|sink| {
                _ = read(&Input::of_bytes(whole.as_bytes(), "feed"), name, sink).unwrap();
            });
            // Only how many records there were is not known any more.
            let without_count = |feed: &str| feed.replace(",2,false,", ",1,false,");
            assert_eq!(without_count(&again), without_count(&whole));
        }
    }

    #[test]
    fn what_the_policy_weakens_by_words_that_a_feed_has_not_stays_weak() {
        for (column, text, section, entry) in [
            (Column::Tags, "C2,Open-Proxy", "tags", "open-proxy"),
            (Column::Reporter, "Prankster", "reporters", "prankster"),
            (Column::Malware, "win.some_rat", "malware", "win.some_rat"),
        ] {
            let whole = |policy: &str| {
                feed_with(policy, |sink| {
                    let mut raw = RawRecord::default();
                    for (column, text) in [
                        (Column::Ioc, "evil.top"),
                        (Column::IocType, "domain"),
                        (Column::MalwarePrintable, "Some RAT"),
                        (column, text),
                    ] {
                        raw.set(column, text);
                    }
                    raw.set_source("partner");
                    sink.record(&raw).unwrap();
                })
            };
            let again = |feed: &str, policy: &str| {
                feed_with(policy, |sink| {
                    _ = read(&Input::of_bytes(feed.as_bytes(), "feed"), "partner", sink).unwrap();
                })
            };
            for limit in ["weak", "medium"] {
                let policy = format!("weaken: {{{limit}: {{{section}: [{entry}]}}}}");
                let weakened = whole(&policy);
                let name = format!(",policy: {section} {entry}");
                assert!(weakened.contains(&name), "{weakened}");
                assert_eq!(again(&weakened, &policy), weakened);
                // Today's policy holds, not that of the earlier feed.
                assert_eq!(again(&weakened, ""), whole(""));
            }
        }
    }

    #[test]
    fn the_host_of_a_url_does_not_become_a_domain_because_another_source_has_it() {
        let urlhaus =
            b"# id,dateadded,url,urlhaus_link\n5,2026-03-15 04:50:08,http://bad.top/x,-\n";
        let whole = feed_of(|sink| {
            _ = source::read(&Input::of_bytes(urlhaus, "x"), sink).unwrap();
            _ = source::read(&Input::of_bytes(b"bad.top\n", "y"), sink).unwrap();
        });
        assert!(whole.contains("bad.top,domain,"), "{whole}");
        let alone = feed_of(|sink| {
            _ = read(&Input::of_bytes(whole.as_bytes(), "feed"), "urlhaus", sink).unwrap();
        });
        assert!(
            alone.contains("bad.top,url_host,http://bad.top/x,"),
            "{alone}"
        );
    }

    #[test]
    fn the_rows_of_each_source_are_counted_and_a_feed_without_the_column_is_threatfoxs() {
        let feed = feed_of(|sink| {
            _ = source::read(&Input::of_bytes(b"bad.top\nevil.top\n", "x"), sink).unwrap();
        });
        let rows = |feed: &str| rows_by_source(&Input::of_bytes(feed.as_bytes(), "feed")).unwrap();
        let count = |feed: &str| rows(feed).rows;
        assert_eq!(count(&feed)["list"], 2);
        let old = feed.replace(",source,link", "").replace(",list,", "");
        assert_eq!(count(&old)["threatfox"], 2);
    }

    #[test]
    fn of_a_damaged_feed_the_rows_before_the_damage_are_taken_over() {
        let feed = feed_of(|sink| {
            _ = source::read(&Input::of_bytes(b"bad.top\nevil.top\n", "x"), sink).unwrap();
        });
        let cut = &feed.as_bytes()[..feed.len() - 15];
        let in_use = rows_by_source(&Input::of_bytes(cut, "feed")).unwrap();
        assert_eq!(in_use.rows["list"], 1);
        assert!(in_use.damage.is_some());
        let again = feed_of(|sink| {
            _ = read(&Input::of_bytes(cut, "feed"), "list", sink).unwrap();
        });
        assert!(again.contains("\nbad.top,") && !again.contains("evil.top"));
        let lines = Input::of_bytes(b"{\"key\":\"bad.top\"}\n", "feed.jsonl");
        assert!(rows_by_source(&lines).is_err(), "no rows were told");
    }
}
