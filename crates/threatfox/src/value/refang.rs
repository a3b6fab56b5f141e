//! Undoing what keeps people from clicking on an indicator: `hxxps[:]//evil[.]example`.

use std::borrow::Cow;

/// The text between a scheme and a host.
const SEPARATORS: [&str; 5] = ["://", "[://]", "[:]//", "[:\\\\]", ":[//]"];

/// Spellings of a dot or a colon in a defanged host.
const DISGUISES: [(&str, &str); 13] = [
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[DOT]", "."),
    ("(DOT)", "."),
    ("{DOT}", "."),
    ("\\.", "."),
    ("[:]", ":"),
    ("(:)", ":"),
    ("{:}", ":"),
];

/// Undoes the defanging of a value. Only scheme and host are touched: a path may have brackets of its
/// own.
#[must_use]
pub fn refang(text: &str) -> Cow<'_, str> {
    if !looks_disguised(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let (scheme, separator, rest) = split(text);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let plain_scheme = plain_scheme(scheme);
    if plain_scheme.is_none()
        && matches!(separator, "" | "://")
        && !host.contains(['[', '(', '{', '\\'])
    {
        return Cow::Borrowed(text);
    }
    let mut host = Cow::Borrowed(host);
    for (disguise, plain) in DISGUISES {
        if host.contains(disguise) {
            host = Cow::Owned(host.replace(disguise, plain));
        }
    }
    let scheme = plain_scheme.as_deref().unwrap_or(scheme);
    let separator = if separator.is_empty() { "" } else { "://" };
    Cow::Owned([scheme, separator, &host, path].concat())
}

/// A quick look, as most values are plain: a bracket, or the x of a scheme.
fn looks_disguised(text: &[u8]) -> bool {
    let is_x = |n: usize| text.get(n).is_some_and(|b| matches!(b, b'x' | b'X' | b'*'));
    is_x(1) || is_x(2) || text.iter().any(|b| matches!(b, b'[' | b'(' | b'{' | b'\\'))
}

fn split(text: &str) -> (&str, &str, &str) {
    let found = SEPARATORS
        .into_iter()
        .filter_map(|separator| Some((text.find(separator)?, separator)))
        .min_by_key(|(at, _)| *at);
    match found {
        Some((at, separator)) => (&text[..at], separator, &text[at + separator.len()..]),
        None => ("", "", text),
    }
}

/// `http` of `hxxp`, `ftp` of `fxp`; `None` where the scheme is as it must be.
fn plain_scheme(scheme: &str) -> Option<String> {
    let lower = scheme.to_ascii_lowercase();
    let plain = match lower.as_str() {
        "hxxp" | "h**p" | "htxp" | "hxtp" => "http",
        "hxxps" | "h**ps" | "htxps" | "hxtps" => "https",
        "fxp" | "f*p" => "ftp",
        _ => return None,
    };
    Some(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_disguise_is_undone() {
        for (text, plain) in [
            ("hxxp://a[.]example", "http://a.example"),
            ("hXXps[:]//a(.)example/x[.]php", "https://a.example/x[.]php"),
            ("hxxps[://]a[dot]example", "https://a.example"),
            ("fxp://a.example", "ftp://a.example"),
            ("203[.]0[.]113[.]7", "203.0.113.7"),
            ("203[.]0.113.7[:]443", "203.0.113.7:443"),
            ("2001[:]db8::7", "2001:db8::7"),
            (r"a\.example", "a.example"),
            ("http://a[.]example:8080?x", "http://a.example:8080?x"),
        ] {
            assert_eq!(refang(text), plain, "{text}");
        }
    }

    #[test]
    fn what_is_not_disguised_stays_as_it_is() {
        for text in [
            "http://a.example/(.)",
            "203.0.113.7:443",
            "[2001:db8::7]:443",
            "http://[2001:db8::7]/",
            "45c4710edc62df311612101b9160c7e1",
            "",
        ] {
            assert_eq!(refang(text), text);
        }
    }
}
