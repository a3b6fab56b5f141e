//! What goes wrong in a year, one test per fault: its exit code, its message, and the last good feed byte for byte
//! unchanged.
//! The guide's table of faults is held to the same list.
// Faults need Linux: /dev/full, modes, signals.
#![cfg(target_os = "linux")]
// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod data;
mod everywhere;
mod network;
mod place;
mod safety;
mod sources;
mod streams;

use std::fs;

use support::{Bench, Ran, Server};

/// A feed of nine rows, as the program writes it.
pub(crate) const LAST_GOOD: &str = "\
key,kind,ioc,ioc_type,regex,ports,malware,threat_type,confidence,first_seen,last_seen,id,iocs,compromised
a.example,domain,a.example,domain,(^|\\.)a\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,1,1,false
b.example,domain,b.example,domain,(^|\\.)b\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,2,1,false
c.example,domain,c.example,domain,(^|\\.)c\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,3,1,false
d.example,domain,d.example,domain,(^|\\.)d\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,4,1,false
e.example,domain,e.example,domain,(^|\\.)e\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,5,1,false
f.example,domain,f.example,domain,(^|\\.)f\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,6,1,false
g.example,domain,g.example,domain,(^|\\.)g\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,7,1,false
h.example,domain,h.example,domain,(^|\\.)h\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,8,1,false
i.example,domain,i.example,domain,(^|\\.)i\\.example$,,X,botnet_cc,100,2026-03-15T04:01:14Z,,9,1,false
";

pub(crate) const API: &str = "fetch --source api --timeout 1";
pub(crate) const RECENT: &str = "fetch --source recent --timeout 1";
pub(crate) const FULL: &str = "fetch --source full --timeout 1";
/// Retried at once, so that five tries take no time.
pub(crate) const NOW: &str = "Retry-After: 0\r\n";

/// A fault that is made, and what must come of it.
pub(crate) struct Fault {
    pub(crate) code: i32,
    /// What the message must say; the first of it stands in the guide too.
    pub(crate) says: &'static [&'static str],
    pub(crate) make: fn(&Bench) -> Ran,
}

/// Makes each fault a test of its name, and a list of them for the guide.
macro_rules! faults {
    ($($name:ident => $code:literal, $says:expr, $make:expr;)*) => {
        $(
            #[test]
            fn $name() {
                crate::check(&crate::Fault { code: $code, says: &$says, make: $make });
            }
        )*

        pub fn all() -> Vec<(&'static str, crate::Fault)> {
            vec![$((stringify!($name), crate::Fault { code: $code, says: &$says, make: $make })),*]
        }
    };
}
pub(crate) use faults;

fn check(fault: &Fault) {
    let bench = Bench::new();
    fs::write(bench.path("feed.csv"), LAST_GOOD).unwrap();
    let ran = (fault.make)(&bench);
    assert_eq!(ran.code, fault.code, "{}", ran.stderr);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    for words in fault.says {
        assert!(
            ran.error().contains(words),
            "{words:?} is not in {}",
            ran.stderr
        );
    }
    let parts: Vec<_> = ran.error().split(": ").collect();
    for (n, part) in parts.iter().enumerate() {
        assert!(!parts[..n].contains(part), "said twice: {}", ran.error());
    }
    assert!(
        !ran.error().contains(" at path "),
        "a name that nobody knows: {}",
        ran.error()
    );
    assert_eq!(bench.read("feed.csv"), LAST_GOOD);
    assert!(
        !bench.path("rejects.csv").exists(),
        "a list of rejects for no feed"
    );
}

/// Runs the words of a command line against the server, for the feed that is there.
pub(crate) fn run(bench: &Bench, server: &Server, words: &str) -> Ran {
    bench.run(server, &args(words))
}

/// The words of a command line, with the places to write to.
pub(crate) fn args(words: &str) -> Vec<&str> {
    let places = ["-o", "feed.csv", "--rejects", "rejects.csv"];
    words.split(' ').chain(places).collect()
}

/// Runs it against a server that always gives the answer, which must be asked so many times.
pub(crate) fn asked(times: usize, bench: &Bench, words: &str, answer: Vec<u8>) -> Ran {
    let server = Server::always(answer);
    let ran = run(bench, &server, words);
    assert_eq!(server.requests().len(), times, "{}", ran.stderr);
    ran
}

#[test]
fn the_guide_has_a_row_for_each_of_at_least_forty_faults_with_its_words_and_exit_code() {
    let guide = include_str!("../../../../docs/feed.md");
    let all = [
        api::all(),
        network::all(),
        data::all(),
        place::all(),
        safety::all(),
        sources::all(),
    ];
    let faults: Vec<_> = all.into_iter().flatten().collect();
    assert!(faults.len() >= 40, "{}", faults.len());
    for (name, fault) in faults {
        let row = format!("| {} | ", name.replace('_', " "));
        let row = guide.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        assert!(row.contains(fault.says[0]), "{row}: {}", fault.says[0]);
        assert!(
            row.contains(&format!("| {} |", fault.code)),
            "{row}: {}",
            fault.code
        );
    }
}
