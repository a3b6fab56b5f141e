//! What a new feed may not replace.

use std::fs;

use crate::support::{Bench, Ran, Server, csv_export, ok};
use crate::{FULL, LAST_GOOD, asked, faults};

/// Puts something else where the feed was, and gives back what the run makes of it.
fn onto(bench: &Bench, there: &str, words: &str) -> Ran {
    fs::write(bench.path("other.csv"), there).unwrap();
    let server = Server::always(ok(csv_export(9, 9)));
    let args: Vec<_> = words.split(' ').chain(["-o", "other.csv"]).collect();
    let ran = bench.run(&server, &args);
    assert_eq!(
        server.requests().len(),
        0,
        "what can't be used is not asked for"
    );
    assert_eq!(bench.read("other.csv"), there);
    ran
}

faults! {
    feed_shrinks => 3, ["less than half", "has 4 rows", "the 9 in feed.csv", "--force"], |bench| {
        asked(1, bench, FULL, ok(csv_export(4, 4)))
    };
    another_file_is_there => 3, ["holds something else", "-o", "--force"], |bench| {
        onto(bench, "my notes\n", FULL)
    };
    rows_by_ioc_are_there => 3, ["holds rows by IOC, not a feed by key", "--force"], |bench| {
        onto(bench, "ioc,ioc_type,key\n", FULL)
    };
    rejects_over_another_file => 3, ["holds something else, not a list of rejects", "name another file"], |bench| {
        fs::write(bench.path("notes"), "my notes\n").unwrap();
        fs::write(bench.path("export.csv"), csv_export(9, 9)).unwrap();
        let args = ["normalize", "export.csv", "-o", "feed.csv", "--rejects", "notes"];
        bench.finish(bench.command(&args))
    };
    output_over_an_input => 3, ["is read by this very run", "name another file"], |bench| {
        fs::write(bench.path("export.csv"), csv_export(9, 9)).unwrap();
        let args = ["normalize", "export.csv", "-o", "feed.csv", "--rejects", "export.csv"];
        bench.finish(bench.command(&args))
    };
    a_feed_is_there => 3, ["holds a feed by key, not rows by IOC", "--force"], |bench| {
        onto(bench, LAST_GOOD, "fetch --source full --by ioc")
    };
}

#[test]
fn half_of_the_rows_is_enough_and_force_takes_any() {
    for (rows, more) in [(5, ""), (4, " --force")] {
        let bench = Bench::new();
        fs::write(bench.path("feed.csv"), LAST_GOOD).unwrap();
        let ran = asked(
            1,
            &bench,
            &format!("{FULL}{more}"),
            ok(csv_export(rows, rows)),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(bench.read("feed.csv").lines().count(), rows as usize + 1);
    }
}

#[test]
fn normalize_keeps_the_same_rules() {
    let bench = Bench::new();
    fs::write(bench.path("feed.csv"), LAST_GOOD).unwrap();
    fs::write(bench.path("export.csv"), csv_export(4, 4)).unwrap();
    let ran = bench.finish(bench.command(&crate::args("normalize export.csv")));
    assert!(
        ran.code == 3 && ran.error().contains("less than half"),
        "{}",
        ran.stderr
    );
    assert_eq!(bench.read("feed.csv"), LAST_GOOD);
    let ran = bench.finish(bench.command(&crate::args("normalize export.csv --force")));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn rows_by_ioc_keep_the_same_rules_in_each_format() {
    for format in ["csv", "jsonl"] {
        let bench = Bench::new();
        let words =
            format!("normalize export.csv --allow-private --by ioc --format {format} -o rows");
        let run = |more: &str| {
            let words = format!("{words}{more}");
            let words: Vec<_> = words.split(' ').collect();
            bench.finish(bench.command(&words))
        };
        fs::write(bench.path("export.csv"), csv_export(9, 9)).unwrap();
        assert_eq!(run("").code, 0);
        let before = bench.read("rows");
        fs::write(bench.path("export.csv"), csv_export(4, 4)).unwrap();
        let ran = run("");
        assert!(
            ran.code == 3 && ran.error().contains("has 4 rows, less than half of the 9"),
            "{}",
            ran.stderr
        );
        assert_eq!(bench.read("rows"), before);
        assert_eq!(run(" --force").code, 0);
    }
}

#[test]
fn a_damaged_feed_is_replaced_and_a_packed_one_is_compared() {
    let bench = Bench::new();
    fs::write(bench.path("export.csv"), csv_export(200, 200)).unwrap();
    let normalize = |args: &[&str]| {
        let args = [&["normalize", "export.csv", "-o", "feed.csv.gz"], args].concat();
        bench.finish(bench.command(&args))
    };
    assert_eq!(normalize(&[]).code, 0);
    let whole = fs::read(bench.path("feed.csv.gz")).unwrap();
    fs::write(bench.path("export.csv"), csv_export(99, 99)).unwrap();
    assert_eq!(normalize(&[]).code, 3);
    assert_eq!(fs::read(bench.path("feed.csv.gz")).unwrap(), whole);
    fs::write(bench.path("feed.csv.gz"), &whole[..20]).unwrap();
    let ran = normalize(&[]);
    assert!(
        ran.code == 0 && ran.stderr.contains("is damaged"),
        "{}",
        ran.stderr
    );
}
