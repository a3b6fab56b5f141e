//! What patterns let one look for.

use super::super::pattern::{NotAPattern, Pattern, parse};
use super::*;

/// What is looked for, in short; what is not in parentheses.
fn read(text: &str) -> String {
    let conditions = match parse(text) {
        Ok(Pattern::Observations(conditions)) => conditions,
        Ok(Pattern::Several(why)) => return format!("several: {why}"),
        Err(NotAPattern(problem)) => return format!("no pattern: {problem}"),
    };
    let found = conditions
        .iter()
        .flat_map(found_in)
        .map(|found| match found {
            Found::Indicator { value, port, .. } if port.is_empty() => value,
            Found::Indicator { value, port, .. } => format!("{value} at {port}"),
            Found::Not(reject) => format!("({reject})"),
        });
    found.collect::<Vec<_>>().join(", ")
}

#[test]
fn any_one_of_several_values_is_an_indicator() {
    for (pattern, found) in [
        ("[ipv4-addr:value = '203.0.113.7']", "203.0.113.7"),
        (
            "[domain-name:value = 'a.example' OR ipv4-addr:value = '203.0.113.7']",
            "a.example, 203.0.113.7",
        ),
        (
            "[url:value IN ('http://a.example/x', 'http://b.example/')]",
            "http://a.example/x, http://b.example/",
        ),
        (
            "[url:value='http://a.example/it\\'s\\\\x']",
            r"http://a.example/it's\x",
        ),
        (
            "([domain-name:value == 'a.example'] OR [domain-name:value='b.example'])",
            "a.example, b.example",
        ),
        (
            "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
            "203.0.113.0/24",
        ),
        (
            "[file:hashes.'SHA-256' = 'aa' OR file:hashes.md5 = 'bb']",
            "aa, bb",
        ),
        (
            "[file:name = 'x' OR domain-name:value = 'a.example']",
            "(unknown type: file:name), a.example",
        ),
    ] {
        assert_eq!(read(pattern), found, "{pattern}");
    }
}

#[test]
fn what_must_come_together_is_an_indicator_where_one_part_says_all() {
    for (pattern, found) in [
        (
            "[file:hashes.MD5 = 'aa' AND file:hashes.'SHA-1' = 'bb']",
            "aa, bb",
        ),
        ("[file:name = 'x.exe' AND file:hashes.MD5 = 'aa']", "aa"),
        // A hash of a file says all, whatever else is said of the file, by whatever operator.
        ("[file:hashes.MD5 = 'aa' AND file:size > 25]", "aa"),
        ("[file:name LIKE '%x' AND file:hashes.MD5 = 'aa']", "aa"),
        (
            "[(file:size > 1 AND file:name != 'x') AND file:hashes.MD5 IN ('aa', 'bb')]",
            "aa, bb",
        ),
        (
            "[process:image_ref.hashes.MD5 = 'aa' AND process:image_ref.name = 'x']",
            "aa",
        ),
        // And nothing of what is said of anything else.
        (
            "[file:hashes.MD5 = 'aa' AND domain-name:value = 'a.example']",
            "(pattern: several conditions at once (AND))",
        ),
        (
            "[process:image_ref.hashes.MD5 = 'aa' AND process:command_line = 'x']",
            "(pattern: several conditions at once (AND))",
        ),
        (
            "[(file:size > 1 AND domain-name:value = 'a.example') AND file:hashes.MD5 = 'aa']",
            "(pattern: more than equal values: >)",
        ),
        (
            "[(file:hashes.MD5 = 'aa' OR file:name = 'x') AND file:size > 1]",
            "(pattern: more than equal values: >)",
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]",
            "203.0.113.7 at 443",
        ),
        (
            "[(ipv4-addr:value = '203.0.113.7' OR ipv4-addr:value = '203.0.113.8') AND network-traffic:dst_port IN (80, 443)]",
            "203.0.113.7 at 80, 203.0.113.7 at 443, 203.0.113.8 at 80, 203.0.113.8 at 443",
        ),
        (
            "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.7']",
            "(pattern: several conditions at once (AND))",
        ),
        (
            "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c']",
            "(pattern: several conditions at once (AND))",
        ),
        (
            "[network-traffic:dst_port = 443]",
            "(pattern: a port or protocol without an address)",
        ),
    ] {
        assert_eq!(read(pattern), found, "{pattern}");
    }
}

#[test]
fn an_address_goes_with_the_port_of_its_own_end_and_nothing_else_does() {
    for (pattern, found) in [
        (
            "[network-traffic:src_ref.value = '203.0.113.7' AND network-traffic:src_port = 443]",
            "203.0.113.7 at 443",
        ),
        (
            "[ipv4-addr:value = '203.0.113.0/31' AND network-traffic:dst_port = 80]",
            "203.0.113.0/31 at 80",
        ),
        (
            "[ipv6-addr:value = '2001:db8::7' AND network-traffic:dst_port = 80]",
            "2001:db8::7 at 80",
        ),
    ] {
        assert_eq!(read(pattern), found, "{pattern}");
    }
    for pattern in [
        "network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:src_port = 445",
        "network-traffic:src_ref.value = '203.0.113.7' AND network-traffic:dst_port = 445",
        "ipv4-addr:value = '203.0.113.7' AND network-traffic:src_port = 445",
        "network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 80 AND network-traffic:src_port = 445",
        "network-traffic:dst_ref.value = 'a.example' AND network-traffic:dst_port = 445",
        "domain-name:value = 'a.example' AND network-traffic:dst_port = 445",
        "url:value = 'http://a.example/x' AND network-traffic:dst_port = 445",
        "(ipv4-addr:value = '203.0.113.7' OR domain-name:value = 'a.example') AND network-traffic:dst_port = 445",
    ] {
        assert_eq!(
            read(&format!("[{pattern}]")),
            "(pattern: several conditions at once (AND))",
            "{pattern}"
        );
    }
}

#[test]
fn what_asks_for_more_than_equal_values_is_not_guessed() {
    for (pattern, found) in [
        (
            "[url:value LIKE 'http://%.example/']",
            "(pattern: more than equal values: LIKE)",
        ),
        (
            "[domain-name:value NOT = 'a.example']",
            "(pattern: more than equal values: NOT =)",
        ),
        (
            "[domain-name:value != 'a.example']",
            "(pattern: more than equal values: !=)",
        ),
        (
            "[EXISTS file:name]",
            "(pattern: more than equal values: EXISTS)",
        ),
        (
            "[domain-name:value = 'a.example' AND file:size > 25]",
            "(pattern: more than equal values: >)",
        ),
        (
            "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']",
            "several: it asks for several observations (FOLLOWEDBY)",
        ),
        (
            "[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 30 SECONDS",
            "several: it asks for several observations (WITHIN, REPEATS)",
        ),
        (
            "[domain-name:value = 'a.example'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
            "several: it asks for observations at some time (START)",
        ),
        (
            "[x509-certificate:hashes.'SHA-1' = 'aa']",
            "(unknown type: x509-certificate:hashes.SHA-1)",
        ),
    ] {
        assert_eq!(read(pattern), found, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_told_with_the_place() {
    for (text, problem) in [
        ("", "the end where \"[\" should be"),
        ("[domain-name:value = 'a]", "a quote is not closed"),
        ("[domain-name:value]", "\"]\" where an operator should be"),
        ("[domain-name:value = 'a'", "the end where \"]\" should be"),
        (
            "[domain-name:value = 'a'] x",
            "\"x\" where the end should be",
        ),
        (
            "[value = 'a']",
            "\"value\" where a property such as ipv4-addr:value should be",
        ),
        (
            "[domain-name:value IN ('a', )]",
            "\")\" where a value should be",
        ),
        ("[domain-name:value = 'a'] REPEATS", "the end where the end"),
    ] {
        let read = read(text);
        let expected = format!("no pattern: {problem}");
        assert!(
            read == expected || problem.ends_with("the end") && read.starts_with("several"),
            "{text}: {read}"
        );
    }
}

#[test]
fn parentheses_without_end_cost_no_stack() {
    for text in ["(".repeat(65_000), "[".to_owned() + &"(".repeat(65_000)] {
        assert_eq!(read(&text), "no pattern: parentheses more than 64 deep");
    }
    let inside = "(".repeat(60) + "domain-name:value = 'a'" + &")".repeat(60);
    assert_eq!(read(&format!("[{inside}]")), "a");
    assert!(read(&"x".repeat(70_000)).contains("64 KiB"));
}
