//! Host names: the one spelling under which a name is looked up.

use std::borrow::Cow;

/// Why a text is not a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The messages say it.
pub enum NotAHost {
    #[error("not a valid internationalized name")]
    NotIdn,
    #[error("longer than the 253 characters of a host name")]
    TooLong,
    #[error("an empty label")]
    EmptyLabel,
    #[error("a label that begins or ends with a hyphen")]
    Hyphen,
    #[error("a label longer than 63 characters")]
    LongLabel,
    #[error("a character that no host name has")]
    Character,
    #[error("a single label, not a full host name")]
    SingleLabel,
    #[error("no top-level domain of letters")]
    TopLevel,
}

/// What the public DNS never has: RFC 6761, 6762 (with its appendix G) and 8375. `example` and `test` are not here: people make
/// examples and tests of them.
const LOCAL: [&str; 13] = [
    "corp",
    "home",
    "home.arpa",
    "in-addr.arpa",
    "internal",
    "intranet",
    "invalid",
    "ip6.arpa",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
];

/// A host name that can stand in DNS: lower case, A-labels, no final dot, at least two labels, and a top-level domain
/// of letters (so it never reads as a number).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host<'a>(Cow<'a, str>);

impl<'a> Host<'a> {
    /// Reads a name in any case, as A-label or U-label, with or without the final dot.
    ///
    /// # Errors
    /// [`NotAHost`].
    pub fn parse(text: &'a str) -> Result<Self, NotAHost> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let name = if text.is_ascii() {
            if text.bytes().any(|b| b.is_ascii_uppercase()) {
                Cow::Owned(text.to_ascii_lowercase())
            } else {
                Cow::Borrowed(text)
            }
        } else {
            Cow::Owned(idna::domain_to_ascii(text).map_err(|_| NotAHost::NotIdn)?)
        };
        check(&name)?;
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name, on its own.
    #[must_use]
    pub fn into_owned(self) -> Host<'static> {
        Host(Cow::Owned(self.0.into_owned()))
    }

    /// Whether it is a name of the Tor network, which no DNS knows.
    #[must_use]
    pub fn is_onion(&self) -> bool {
        self.0.ends_with(".onion")
    }

    /// Whether it is a name that only a network of one's own has, or an address written as a name.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.ends_with('.');
        LOCAL
            .iter()
            .any(|end| self.0.strip_suffix(end).is_some_and(below))
    }

    /// The spelling in the user's script, if the name has one and it leads back to this name.
    #[must_use]
    pub fn unicode(&self) -> Option<String> {
        if !self.0.starts_with("xn--") && !self.0.contains(".xn--") {
            return None;
        }
        let (unicode, result) = idna::domain_to_unicode(&self.0);
        let back = idna::domain_to_ascii(&unicode).ok()?;
        (result.is_ok() && unicode != self.0 && back == self.0).then_some(unicode)
    }
}

fn check(name: &str) -> Result<(), NotAHost> {
    if name.len() > 253 {
        return Err(NotAHost::TooLong);
    }
    let mut last: &[u8] = b"";
    let mut labels = 0_usize;
    for label in name.as_bytes().split(|b| *b == b'.') {
        match label {
            [] => return Err(NotAHost::EmptyLabel),
            [b'-', ..] | [.., b'-'] => return Err(NotAHost::Hyphen),
            _ if label.len() > 63 => return Err(NotAHost::LongLabel),
            _ => {}
        }
        // An underscore is not allowed in a host name, but names in DNS have it.
        if !label
            .iter()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        {
            return Err(NotAHost::Character);
        }
        last = label;
        labels += 1;
    }
    if labels < 2 {
        return Err(NotAHost::SingleLabel);
    }
    if !last.starts_with(b"xn--") && !last.iter().all(u8::is_ascii_lowercase) {
        return Err(NotAHost::TopLevel);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn one_name_has_one_spelling() {
        for (text, name) in [
            ("OK8386.SE.NET", "ok8386.se.net"),
            ("evil.example.", "evil.example"),
            ("www.evil.example", "www.evil.example"),
            ("bbautókozmetika.hu", "xn--bbautkozmetika-pob.hu"),
            ("xn--e1acm1a.xn--p1ai", "xn--e1acm1a.xn--p1ai"),
            ("_dmarc.evil.example", "_dmarc.evil.example"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), name, "{text}");
        }
    }

    #[test]
    fn broken_names_are_refused() {
        for text in [
            "eng--neuroxen.com!s!",
            "",
            ".",
            "localhost",
            "a..b",
            "-a.example",
            "a-.example",
            "1.e5",
            "0x1.p5",
            "1.2.3.4",
            "a b.example",
            "evil.example/x",
            &format!("{}.example", "a".repeat(64)),
            &"a.".repeat(150),
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_idn_knows_its_unicode_spelling() {
        assert_eq!(
            Host::parse("xn--bcher-kva.example")
                .unwrap()
                .unicode()
                .as_deref(),
            Some("bücher.example")
        );
        assert_eq!(Host::parse("evil.example").unwrap().unicode(), None);
        assert_eq!(Host::parse("xn--0.example").unwrap().unicode(), None);
    }

    #[test]
    fn names_that_the_public_dns_never_has_are_local() {
        for (name, local) in [
            ("localhost.localdomain", true),
            ("a.local", true),
            ("nas.lan", true),
            ("home.arpa", true),
            ("4.3.2.1.in-addr.arpa", true),
            ("evil.example", false),
            ("notlocal.example", false),
            ("a.vlan", false),
            ("local.example", false),
        ] {
            assert_eq!(Host::parse(name).unwrap().is_local(), local, "{name}");
        }
    }

    #[test]
    fn onion_names_are_known() {
        assert!(Host::parse("abc.onion").unwrap().is_onion());
        assert!(!Host::parse("onion.example").unwrap().is_onion());
    }
}
