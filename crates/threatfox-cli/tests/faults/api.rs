//! What the API says instead of data.

use crate::support::{Bench, KEY, answer, ok};
use crate::{API, NOW, asked, faults};

fn status(status: &str) -> Vec<u8> {
    ok(format!(
        r#"{{"query_status":"{status}","data":"some text"}}"#
    ))
}

faults! {
    wrong_key => 1, ["refused the Auth-Key", "unknown_auth_key"], |bench| {
        let body = include_str!("../../../../tests/data/threatfox/errors/http403_unknown_auth_key.json");
        asked(1, bench, API, answer("403 Forbidden", "", body))
    };
    unauthorized => 1, ["refused the Auth-Key", "Unauthorized", "auth.abuse.ch"], |bench| {
        let body = include_str!("../../../../tests/data/threatfox/errors/http401_missing_key.json");
        asked(1, bench, API, answer("401 Unauthorized", "", body))
    };
    wrong_key_with_http_200 => 1, ["refused the Auth-Key", "auth.abuse.ch"], |bench| {
        asked(1, bench, API, status("unknown_auth_key"))
    };
    missing_key => 1, ["needs an Auth-Key and none was given", "https://auth.abuse.ch/"], |bench| {
        // An empty variable means no key: Velociraptor passes it on like this.
        let server = crate::Server::always(ok("{}"));
        let mut command = bench.command_at(&server, &crate::args(API));
        command.env("THREATFOX_AUTH_KEY", "");
        let ran = bench.finish(command);
        assert!(server.requests().is_empty());
        ran
    };
    missing_key_file => 1, ["can't read the Auth-Key from none.txt"], |bench| {
        asked(0, bench, "fetch --auth-key-file none.txt", ok("{}"))
    };
    key_without_tls => 1, ["the Auth-Key is not sent to http://api.example/ without TLS"], |bench| {
        bench.finish(bench.command(&crate::args("fetch --source api --api-url http://api.example/")))
    };
    // The open export is closed, and the one for holders of a key does not take it.
    keyed_export_refused => 1, ["refused the Auth-Key", "<AUTH-KEY>/full.csv.zip"], |bench| {
        asked(2, bench, crate::FULL, answer("401 Unauthorized", "", ""))
    };
    illegal_days => 1, ["1 to 7 days"], |bench| asked(1, bench, API, status("illegal_days"));
    no_result => 1, ["found nothing"], |bench| asked(1, bench, API, status("no_result"));
    // The server sends the key back: it must not show.
    unknown_status => 1, ["the API answered", "hello_<AUTH-KEY>", "some text"], |bench| {
        asked(1, bench, API, status(&format!("hello_{KEY}")))
    };
    bad_gateway => 1, ["HTTP 502", "502 Server Error", "try again later"], |bench| {
        let page = include_str!("../../../../tests/data/threatfox/errors/http502.html");
        asked(5, bench, API, answer("502 Bad Gateway", NOW, page))
    };
    rate_limit => 1, ["too many requests", "ratelimited"], |bench| {
        let body = r#"{"query_status":"ratelimited"}"#;
        asked(5, bench, API, answer("429 Too Many Requests", NOW, body))
    };
    rate_limit_for_hours => 1, ["asks to wait 259200 s"], |bench| {
        asked(1, bench, API, answer("429 Too Many Requests", "Retry-After: 259200\r\n", ""))
    };
}

#[test]
fn trouble_that_passes_is_waited_for_and_told() {
    let tries = std::sync::atomic::AtomicU32::new(0);
    let server = crate::Server::start(move |_| {
        match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => answer(
                "502 Bad Gateway",
                NOW,
                "<html><title>502 Server Error</title>",
            ),
            1 => answer("429 Too Many Requests", "Retry-After: 1\r\n", ""),
            _ => ok(crate::support::recent_json()),
        }
    });
    let ran = Bench::without_key().run(&server, &["fetch", "-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("HTTP 502 (\"502 Server Error\")"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("trying again in 1 s"), "{}", ran.stderr);
}

#[test]
fn every_status_that_threatfox_is_known_to_send_is_told_in_words() {
    for (name, code, says) in [
        ("no_result", 0, "found nothing"),
        ("hash_not_found", 0, "found nothing"),
        ("illegal_search_term", 1, "does not accept this search term"),
        ("illegl_hash", 1, "does not accept this hash"),
        ("illegal_hash", 1, "does not accept this hash"),
        ("illegal_days", 1, "1 to 7 days"),
        ("unknown_auth_key", 1, "refused the Auth-Key"),
        ("auth_key_required", 1, "refused the Auth-Key"),
        ("no_api_key", 1, "refused the Auth-Key"),
        ("unauthorized", 1, "refused the Auth-Key"),
        ("ratelimited", 1, "limits the number of requests"),
        ("rate_limited", 1, "limits the number of requests"),
        ("error", 1, "answered \"error\" (some text)"),
    ] {
        let server = crate::Server::always(status(name));
        let ran = Bench::new().run(&server, &["search", "evil.example"]);
        assert_eq!(ran.code, code, "{name}: {}", ran.stderr);
        assert!(ran.error().contains(says), "{name}: {}", ran.stderr);
    }
}
