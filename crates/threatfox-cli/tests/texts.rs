//! All that the program says, in one file each, so that it can be read and reviewed as text: every `--help`, every error
//! of a
//! fault. `INSTA_UPDATE=always cargo test -p threatfox-cli --test texts` writes them anew.
// The system words its own errors, and another system words them differently.
#![cfg(target_os = "linux")]
// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::fs;

use support::normalize::{export, line};
use support::{Bench, COMMANDS, Ran, Server, addresses, answer, api, csv_export, ok, record, scan};

#[test]
fn help() {
    let bench = Bench::new();
    let mut text = String::new();
    for command in std::iter::once("").chain(COMMANDS) {
        let args: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let ran = bench.finish(bench.command(&args));
        assert_eq!(ran.code, 0);
        let _ = writeln!(text, "$ threatfox {}\n\n{}\n", args.join(" "), ran.stdout);
    }
    insta::assert_snapshot!(text);
}

/// Runs it, and gives the one line of its error.
fn error_of(bench: &Bench, server: Option<&Server>, words: &str) -> String {
    let edge = scan::edge().display().to_string();
    let words: Vec<_> = words
        .split(' ')
        .map(|word| if word == "EDGE" { &edge } else { word })
        .collect();
    let mut command = bench.command(&words);
    if let Some(server) = server {
        command.args(addresses(server));
    }
    let ran: Ran = bench.finish(command);
    assert_ne!(ran.code, 0, "{words:?}");
    let errors: Vec<_> = ran.stderr.lines().filter(|line| !is_step(line)).collect();
    assert_eq!(
        errors.len(),
        1,
        "{words:?}: an error is one line: {}",
        ran.stderr
    );
    let error = errors[0].replace(&edge, "EDGE");
    let error = server.map_or_else(|| error.clone(), |server| error.replace(&server.url, "URL"));
    let folder = bench.folder.path().display().to_string();
    format!("{}  {}", ran.code, error.replace(&folder, "FOLDER"))
}

/// Is it a step that is reported before the error, or what clap adds to wrong usage?
fn is_step(line: &str) -> bool {
    let steps = [
        "threatfox: downloading ",
        "threatfox: trying ",
        "threatfox: list of ",
        "threatfox: using the cache",
    ];
    // Where a closed export is asked for a second time, the first error is reported as a step.
    steps.iter().any(|step| line.starts_with(step))
}

#[test]
#[allow(clippy::too_many_lines)] // One table of cases.
fn errors() {
    let bench = scan::bench();
    let good = export(&[
        line(1, "evil.example", "domain"),
        line(2, "bad.example", "domain"),
    ]);
    let feed = String::from_utf8({
        let mut feed = Vec::new();
        let packed = fs::read(bench.path("feed.csv.gz")).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut feed)
            .unwrap();
        feed
    })
    .unwrap();
    let (header, row) = feed.split_once('\n').unwrap();
    let row = row.lines().next().unwrap();
    for (name, content) in [
        ("good.csv", good.clone()),
        ("empty", String::new()),
        ("page", "<html><title>Login</title>".into()),
        ("other", "hello".into()),
        ("misp", r#"{"Event": {}}"#.into()),
        ("cut.csv", good[..good.len() - 60].into()),
        ("no-trailer.csv", good.replace("# Number", "# Nr")),
        ("promise.csv", good.replace("entries: 2", "entries: 3")),
        ("short.csv", good.replace("\"a,b\", ", "")),
        ("no-header.csv", good.replace("ioc_value", "value")),
        ("no-type.csv", good.replace("\"ioc_type\"", "\"kind\"")),
        ("private.csv", export(&[line(1, "10.0.0.1:1", "ip:port")])),
        ("cut.json", r#"{"1":[{"ioc_value":"#.into()),
        ("shape.json", r#"{"1":"x"}"#.into()),
        ("none.json", "{}".into()),
        ("no-data.json", r#"{"query_status":"ok"}"#.into()),
        (
            "status.json",
            r#"{"query_status":"brand_new","data":"Some text"}"#.into(),
        ),
        ("key.json", r#"{"query_status":"unknown_auth_key"}"#.into()),
        ("days.json", r#"{"query_status":"illegal_days"}"#.into()),
        ("hash.json", r#"{"query_status":"illegal_hash"}"#.into()),
        ("limit.json", r#"{"query_status":"ratelimited"}"#.into()),
        ("nothing.json", r#"{"query_status":"no_result"}"#.into()),
        ("broken.gz", "\u{1f}".into()),
        ("policy.yaml", "ignore:\n  ips:\n  - 10.0.0.0/99\n".into()),
        ("old-feed.csv", "key,kind,ioc\n".into()),
        ("headless.csv", format!("{header}\n")),
        (
            "bad-feed.csv",
            format!("{header}\n{}\n", row.replacen("ip", "x", 1)),
        ),
        ("short-feed.csv", format!("{header}\na.example,domain\n")),
        ("notes", "my notes\n".into()),
        ("rows.csv", "ioc,ioc_type,key\n".into()),
        ("large-key", "k".repeat(5000)),
        ("blank-key", "a b".into()),
    ] {
        fs::write(bench.path(name), content).unwrap();
    }
    fs::write(bench.path("broken.gz"), b"\x1f\x8bnot gzip at all").unwrap();
    fs::create_dir(bench.path("folder")).unwrap();
    let mut text = String::new();
    for words in [
        "normalize missing.csv",
        "normalize folder",
        "normalize empty",
        "normalize page",
        "normalize other",
        "normalize misp",
        "normalize cut.csv",
        "normalize no-trailer.csv",
        "normalize promise.csv",
        "normalize short.csv",
        "normalize no-header.csv",
        "normalize no-type.csv",
        "normalize private.csv",
        "normalize cut.json",
        "normalize shape.json",
        "normalize none.json",
        "normalize no-data.json",
        "normalize status.json",
        "normalize key.json",
        "normalize days.json",
        "normalize hash.json",
        "normalize limit.json",
        "normalize nothing.json",
        "normalize broken.gz",
        "normalize feed.csv.gz",
        "normalize good.csv --policy policy.yaml",
        "normalize good.csv --policy missing.yaml",
        "normalize good.csv --fplist good.csv",
        "normalize good.csv --fplist missing.json",
        "normalize good.csv -o nowhere/feed.csv",
        "normalize good.csv -o /dev/full",
        "normalize good.csv -o folder",
        "normalize good.csv -o x --rejects x",
        "normalize good.csv -o feed.csv.gz",
        "normalize good.csv -o notes",
        "normalize good.csv -o rows.csv",
        "normalize good.csv --by ioc -o feed.csv.gz",
        "match --feed missing.csv x.example",
        "match --feed other x.example",
        "match --feed old-feed.csv x.example",
        "match --feed headless.csv x.example",
        "match --feed bad-feed.csv x.example",
        "match --feed short-feed.csv x.example",
        "match --feed -",
        "explain nothing good.csv",
        "explain evil.example missing.csv",
        "scan other",
        "scan missing.evtx",
        "scan --logs-from missing.list",
        "scan --feed missing.csv EDGE",
        "scan --feed old-feed.csv EDGE",
        "fetch --source api --days 8",
        "fetch --source api --days all",
        "fetch --source api --type md5",
        "fetch --source api --api-url http://api.example/",
        "fetch --auth-key-file missing-key",
        "fetch --auth-key-file large-key",
        "fetch --auth-key-file blank-key",
        "fetch --ca-file missing.pem",
        "fetch --ca-file other",
        "fetch --cache good.csv",
        "fetch --source full -o notes",
        "search x --id",
        "man nonsense",
    ] {
        let _ = writeln!(
            text,
            "$ threatfox {words}\n{}\n",
            error_of(&bench, None, words)
        );
    }
    let api_words = "fetch --source api -o new.csv";
    for (words, name, reply) in [
        (api_words, "HTTP 401", answer("401 Unauthorized", "", "{}")),
        (
            api_words,
            "HTTP 403",
            answer(
                "403 Forbidden",
                "",
                r#"{"query_status":"unknown_auth_key"}"#,
            ),
        ),
        (api_words, "HTTP 404", answer("404 Not Found", "", "")),
        (
            api_words,
            "HTTP 407",
            answer("407 Proxy Authentication Required", "", ""),
        ),
        (api_words, "HTTP 418", answer("418 I'm a teapot", "", "")),
        (
            api_words,
            "HTTP 429",
            answer("429 Too Many Requests", "Retry-After: 259200\r\n", ""),
        ),
        (api_words, "HTTP 304", answer("304 Not Modified", "", "")),
        (
            api_words,
            "a redirect",
            answer("302 Found", "Location: https://login.example/\r\n", ""),
        ),
        (api_words, "a web page", ok("<title>Sign in</title>")),
        (api_words, "nothing", ok("")),
        (
            api_words,
            "half an answer",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec(),
        ),
        (api_words, "no HTTP", b"hello\r\n\r\n".to_vec()),
        (
            api_words,
            "a status of its own",
            ok(r#"{"query_status":"illegal_search_term"}"#),
        ),
        (
            "search x --malware --limit 1000",
            "HTTP 500",
            answer("500 Internal Server Error", "Retry-After: 0\r\n", ""),
        ),
        ("search x", "no data", ok("hello")),
        (
            "fetch --source full -o feed.csv.gz",
            "few rows",
            ok(csv_export(1, 1)),
        ),
        (
            "fetch --fplist -o new.csv",
            "no list",
            api(&[record(1, "evil.example", "domain")]),
        ),
    ] {
        let server = Server::always(reply);
        // Tries that are reported before the error are steps.
        let error = error_of_last(&bench, &server, words);
        let _ = writeln!(
            text,
            "$ threatfox {words} # the server gives {name}\n{error}\n"
        );
    }
    insta::assert_snapshot!(text);
}

/// The last line, where retries and second tries are reported before it.
fn error_of_last(bench: &Bench, server: &Server, words: &str) -> String {
    let mut command = bench.command(&words.split(' ').collect::<Vec<_>>());
    command.args(addresses(server));
    let ran = bench.finish(command);
    assert_ne!(ran.code, 0, "{words}: {}", ran.stderr);
    assert!(
        ran.stderr
            .lines()
            .all(|line| line.starts_with("threatfox: ")),
        "{}",
        ran.stderr
    );
    format!("{}  {}", ran.code, ran.error().replace(&server.url, "URL"))
}
