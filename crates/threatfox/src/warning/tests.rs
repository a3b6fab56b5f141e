use super::*;
use crate::match_key::Kind;

fn warning(lists: &WarningLists, kind: Kind, key: &str) -> String {
    Warner::new(lists).warning(kind, key, "").to_owned()
}

fn list(kind: &str, attributes: &str, entries: &[&str]) -> Result<WarningLists, Error> {
    let text = serde_json::json!({
        "name": "A list", "type": kind, "list": entries, "version": 1,
        "matching_attributes": attributes.split(' ').collect::<Vec<_>>(),
    });
    WarningLists::parse("mine", &text.to_string())
}

#[test]
fn each_file_of_the_folder_is_built_in_and_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/warning_lists");
    let files: Vec<_> = files_in(&folder).unwrap().into_keys().collect();
    let lists: Vec<_> = built_in().map(|list| list.unwrap().0).collect();
    assert_eq!(files, lists);
    let built_in = WarningLists::built_in();
    assert_eq!(built_in.names().collect::<Vec<_>>(), lists);
    let read = WarningLists::with_folder(&folder).unwrap();
    assert_eq!(read.names().count(), lists.len());
}

#[test]
fn the_built_in_lists_know_resolvers_content_networks_and_sinkholes() {
    let lists = WarningLists::built_in();
    for (kind, key, expected) in [
        (Kind::Ip, "1.1.1.1", "well-known-resolvers"),
        (Kind::Ip, "8.8.8.8", "well-known-resolvers"),
        (Kind::UrlHost, "8.8.8.8", "well-known-resolvers"),
        (Kind::Ip, "104.16.1.2", "cloudflare"),
        (Kind::Ip, "104.21.27.14", "cloudflare;sinkholes (informs)"),
        (Kind::Ip, "104.244.13.1", "sinkholes (informs)"),
        (
            Kind::Ip,
            "146.112.61.104",
            "sinkholes (informs);umbrella-blockpage-v4;umbrella-blockpage-v6",
        ),
        (Kind::Ip, "2606:4700::1", "cloudflare"),
        (Kind::Domain, "bit.ly", "link-in-bio;url-shortener"),
        (Kind::Domain, "x.tinyurl.com", "url-shortener"),
        (
            Kind::Url,
            "url:https://user@tinyurl.com:8443/x?y",
            "url-shortener",
        ),
        // Of the type string: the name alone, and no URL is one.
        (Kind::Domain, "captive.apple.com", "captive-portals"),
        (Kind::UrlHost, "captive.apple.com", "captive-portals"),
        (Kind::Domain, "x.captive.apple.com", ""),
        (Kind::Url, "url:http://captive.apple.com/", ""),
        (
            Kind::Sha256,
            "sha256:01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
            "common-ioc-false-positive",
        ),
        (Kind::Ip, "203.0.113.7", ""),
        (Kind::Domain, "notbit.ly", ""),
        (Kind::Domain, "bit.ly.evil.example", ""),
        // An address in a URL's path or user is not its host; and lists of addresses are not for URLs.
        (Kind::Url, "url:http://bit.ly@evil.example/bit.ly", ""),
        (Kind::Url, "url:http://1.1.1.1/x", ""),
    ] {
        assert_eq!(warning(&lists, kind, key), expected, "{key}");
    }
}

#[test]
fn each_type_matches_as_misp_says_and_only_what_its_attributes_name() {
    let url = "url:https://a.cdn.example/Path";
    for (kind, attributes, entry, expected) in [
        ("cidr", "ip-dst", "203.0.113.0/24", "203.0.113.7"),
        ("cidr", "ip-src|port", "203.0.113.7", "203.0.113.7"),
        ("cidr", "ip-src", "::ffff:203.0.113.0/120", "203.0.113.7"),
        ("cidr", "domain url", "203.0.113.0/24", ""),
        (
            "hostname",
            "hostname",
            "CDN.example.",
            "cdn.example a.cdn.example",
        ),
        (
            "hostname",
            "hostname",
            "*.cdn.example",
            "cdn.example a.cdn.example",
        ),
        ("string", "domain", " cdn.example", "cdn.example"),
        ("substring", "url", " CDN ", url),
        ("hostname", "url", ".cdn.example", url),
        ("hostname", "ip-dst", "cdn.example", ""),
        ("hostname", "domain", "example", "cdn.example a.cdn.example"),
        ("string", "domain url", "cdn.example", "cdn.example"),
        ("string", "url", "https://a.cdn.example/Path", url),
        (
            "string",
            "filename|md5",
            "45C4710EDC62DF311612101B9160C7E1",
            "md5:45c4710edc62df311612101b9160c7e1",
        ),
        ("substring", "domain", "cdn", "cdn.example a.cdn.example"),
        ("substring", "ALL", "0.113", "203.0.113.7"),
        (
            "regex",
            "domain url",
            r"/(^|\.)CDN\.example$/i",
            "cdn.example a.cdn.example",
        ),
        ("regex", "url", "^https://a", url),
        ("regex", "md5", "#^45C4#", ""),
    ] {
        let lists = list(kind, attributes, &[entry]).unwrap();
        let keys = [
            (Kind::Ip, "203.0.113.7"),
            (Kind::Domain, "cdn.example"),
            (Kind::Domain, "a.cdn.example"),
            (Kind::Url, url),
            (Kind::Md5, "md5:45c4710edc62df311612101b9160c7e1"),
            (Kind::Domain, "evil.test"),
            (Kind::Ip, "198.51.100.7"),
        ];
        let found = keys
            .iter()
            .filter(|(kind, key)| warning(&lists, *kind, key) == "mine")
            .map(|(_, key)| *key);
        assert_eq!(
            found.collect::<Vec<_>>().join(" "),
            expected,
            "{kind} {entry}"
        );
    }
}

#[test]
fn a_name_in_u_labels_is_in_the_lists_of_its_a_labels() {
    for entry in ["xn--bcher-kva.example", "Bücher.example"] {
        let lists = list("hostname", "domain", &[entry]).unwrap();
        assert_eq!(warning(&lists, Kind::Domain, "www.bücher.example"), "mine");
    }
}

#[test]
fn a_name_or_a_url_is_in_the_lists_that_have_it_in_any_of_its_spellings() {
    for (kind, entry) in [
        ("string", "bücher.example"),
        ("string", "BÜCHER.example."),
        ("string", "xn--bcher-kva.example"),
        ("substring", "bücher"),
        ("substring", "xn--bcher"),
        ("regex", "/^bücher/"),
        ("regex", "/^xn--bcher/"),
    ] {
        let lists = list(kind, "domain", &[entry]).unwrap();
        for key in ["bücher.example", "xn--bcher-kva.example"] {
            for kind in [Kind::Domain, Kind::UrlHost] {
                assert_eq!(warning(&lists, kind, key), "mine", "{entry}: {key}");
            }
        }
        assert_eq!(warning(&lists, Kind::Domain, "b\u{fc}cker.example"), "");
    }
    for (kind, entry) in [
        ("string", "http://bücher.example/ü"),
        ("string", "http://xn--bcher-kva.example/%C3%BC"),
        ("substring", "bücher.example/"),
        ("regex", "^http://xn--bcher-kva"),
    ] {
        let lists = list(kind, "url", &[entry]).unwrap();
        // The three rows that such a URL has in a feed.
        for key in [
            "url:http://xn--bcher-kva.example/%C3%BC",
            "url:http://bücher.example/ü",
            "url:http://bücher.example/%C3%BC",
        ] {
            assert_eq!(warning(&lists, Kind::Url, key), "mine", "{entry}: {key}");
        }
    }
    let lists = list("string", "ip-dst", &["::FFFF:203.0.113.7"]).unwrap();
    assert_eq!(warning(&lists, Kind::Ip, "203.0.113.7"), "mine");
}

#[test]
fn no_list_of_a_folder_is_passed_over_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let list = r#"{"type":"cidr","list":["203.0.113.0/24"]}"#;
    fs::write(folder.path().join("X.JSON"), list).unwrap();
    let lists = WarningLists::with_folder(folder.path()).unwrap();
    assert_eq!(warning(&lists, Kind::Ip, "203.0.113.7"), "X");
    fs::create_dir(folder.path().join("x")).unwrap();
    fs::write(folder.path().join("x/list.json"), list).unwrap();
    let error = WarningLists::with_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains("has the same name"), "{error}");
}

#[test]
fn what_is_not_a_list_is_refused_with_what_is_wrong() {
    for (text, expected) in [
        ("", "EOF while parsing"),
        (r#"{"type":"cidr"}"#, "missing field `list`"),
        (
            r#"{"type":"cidr","list":["203.0.113.0/24""#,
            "EOF while parsing",
        ),
        (
            r#"{"type":"cidr","list":["203.0.113.0/33"]}"#,
            "\"203.0.113.0/33\" is neither an address nor a network",
        ),
        (r#"{"type":"cidr","list":[7]}"#, "invalid type: integer"),
        (
            r#"{"type":"bloom","list":[]}"#,
            "the type \"bloom\" is not cidr, hostname",
        ),
        (
            r#"{"type":"hostname","list":["http://evil.example/"]}"#,
            "\"http://evil.example/\" is not a host name",
        ),
        (
            r#"{"type":"hostname","list":["evil.example", "203.0.113.7"]}"#,
            "\"203.0.113.7\" is an address, which only a list of the type cidr",
        ),
        (
            r#"{"type":"hostname","list":["2001:db8::/32"]}"#,
            "is an address",
        ),
        (
            r#"{"type":"hostname","list":["evil example"]}"#,
            "is not a host name",
        ),
        (r#"{"type":"string","list":[" "]}"#, "an entry of 1 bytes"),
        (
            r#"{"type":"regex","list":["/a(/"]}"#,
            "the pattern \"/a(/\"",
        ),
        (
            r#"{"type":"regex","list":["/a/e"]}"#,
            "the flag 'e' is not known",
        ),
        // Each needs the other's bracket.
        (
            r#"{"type":"regex","list":["(a","b)"]}"#,
            "the pattern \"(a\"",
        ),
        (r#"{"type":"regex","list":["(a{1000}){1000}"]}"#, "size"),
    ] {
        let error = WarningLists::parse("mine", text).unwrap_err().to_string();
        assert!(error.starts_with("not a warning list: mine: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let many: Vec<_> = (0..3000).map(|n| format!("/x{{{n}}}/")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let error = list("regex", "url", &many).unwrap_err().to_string();
    assert!(
        error.contains("size") || error.contains("together"),
        "{error}"
    );
    let error = WarningLists::parse("a;b", "{}").unwrap_err().to_string();
    assert!(error.contains("its name is not made of"), "{error}");
}

#[test]
fn a_hostile_pattern_takes_no_time_that_grows_with_more_than_its_text() {
    let lists = list("regex", "url", &["/(a|aa)+b$/"]).unwrap();
    let url = format!("url:https://evil.example/{}!", "a".repeat(60_000));
    let start = std::time::Instant::now();
    assert_eq!(warning(&lists, Kind::Url, &url), "");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn a_folder_adds_lists_and_replaces_those_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = WarningLists::with_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains("neither NAME.json"), "{error}");
    let list = |entry: &str| format!(r#"{{"type":"cidr","list":["{entry}"],"category":"known"}}"#);
    fs::write(
        folder.path().join("cloudflare.json"),
        list("203.0.113.0/24"),
    )
    .unwrap();
    fs::write(folder.path().join("README.md"), "x").unwrap();
    fs::create_dir(folder.path().join("ours")).unwrap();
    fs::write(folder.path().join("ours/list.json"), list("203.0.113.7")).unwrap();
    let mut lists = WarningLists::with_folder(folder.path()).unwrap();
    let of = |lists: &_, ip| warning(lists, Kind::Ip, ip);
    assert_eq!(
        of(&lists, "203.0.113.7"),
        "cloudflare (informs);ours (informs)"
    );
    assert_eq!(of(&lists, "104.16.1.2"), "", "replaced");
    assert_eq!(of(&lists, "1.1.1.1"), "well-known-resolvers");
    assert!(lists.set_limit("ours", Strength::Medium) && !lists.set_limit("none", Strength::Weak));
    assert_eq!(
        of(&lists, "203.0.113.7"),
        "cloudflare (informs);ours (medium)"
    );
    fs::write(folder.path().join("cut.json"), "{\"type\":").unwrap();
    let error = WarningLists::with_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains("cut.json: EOF"), "{error}");
}

#[test]
fn the_column_bounds_the_strength_and_the_weakest_name_counts() {
    for (warning, expected) in [
        ("", Strength::Strong),
        ("cloudflare", Strength::Weak),
        ("sinkholes (informs)", Strength::Strong),
        ("policy: tags x (medium)", Strength::Medium),
        (
            "sinkholes (informs);policy: tags x (medium)",
            Strength::Medium,
        ),
        ("cloudflare;policy: tags x (medium)", Strength::Weak),
        ("something (else)", Strength::Weak),
    ] {
        assert_eq!(limit(warning), expected, "{warning}");
    }
    assert_eq!(
        limit(&name_with_limit("a;b (medium)", Strength::Weak)),
        Strength::Weak
    );
}
