//! A value that a user typed or pasted: what it is, and what it matches.

use super::{Feed, Hit, Matcher};
use crate::ioc::{Algorithm, Ioc, IocType};
use crate::ip::parse_with_port;
use crate::match_key::Kind;
use crate::reject::{Reason, Reject};
use crate::rules::Rules;
use crate::rules::plan::{FieldReader, Plan, Row};
use crate::rules::reader::{Observer, canonical};
use crate::url::split_at_scheme;

/// Reads an address (with or without a port), host, URL or hash. Undo a disguise with [`super::refang`] first.
///
/// # Errors
/// What is wrong; [`Reason::BadDomain`] for a text that is none of these.
pub fn read_value(text: &str) -> Result<Ioc<'_>, Reject> {
    let parsed = match hash_type(text) {
        Some((algorithm, hex)) => Ioc::parse(IocType::Hash(algorithm), hex)?,
        None if split_at_scheme(text).is_some() => Ioc::parse(IocType::Url, text)?,
        None => match address(text) {
            Some(address) => return Ok(address),
            None => Ioc::parse(IocType::Domain, text).map_err(about_host)?,
        },
    };
    Ok(parsed.ioc)
}

/// Hexadecimal of the right length, also as `SHA256=…` (Sysmon) or `sha256:…` (a feed's key).
fn hash_type(text: &str) -> Option<(Algorithm, &str)> {
    let hex = match text.split_once(['=', ':']) {
        Some((name, hex)) => Algorithm::from_name(name).map(|_| hex)?,
        None => text,
    };
    let algorithm = Algorithm::ALL
        .into_iter()
        .find(|algorithm| hex.len() == algorithm.digits())?;
    let all_hex = hex.bytes().all(|b| b.is_ascii_hexdigit());
    all_hex.then_some((algorithm, hex))
}

/// An address. An IPv6 address without brackets that could end in a port is read without one.
fn address(text: &str) -> Option<Ioc<'static>> {
    if !text.starts_with(|c: char| c.is_ascii_hexdigit() || matches!(c, '[' | ':')) {
        return None;
    }
    let (ip, port) = match text.parse() {
        Ok(ip) => (ip, None),
        Err(_) => parse_with_port(text).ok()?,
    };
    Some(Ioc::Address(canonical(ip), port))
}

/// A text that is nothing else is read as a host. The message says so, as the user may not have meant one.
fn about_host(reject: Reject) -> Reject {
    if reject.reason != Reason::BadDomain {
        return reject;
    }
    let why = reject.detail;
    Reason::BadDomain.because(format!("no address, URL or hash, and not a host: {why}"))
}

/// A value as a row of the place `Value`: its fields by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedValue {
    fields: Vec<(&'static str, String)>,
}

impl TypedValue {
    /// The provider of the place.
    pub const PROVIDER: &'static str = "Value";

    /// A value. A URL has two spellings: as it was typed, and as browsers read it.
    #[must_use]
    pub fn all_of(ioc: &Ioc<'_>) -> Vec<Self> {
        let one = |field, text: &str| Self {
            fields: vec![(field, text.to_owned())],
        };
        match ioc {
            Ioc::Address(ip, port) => {
                let port = port.map(|port| ("Port", port.to_string()));
                let fields = [("Address", ip.to_string())].into_iter().chain(port);
                vec![Self {
                    fields: fields.collect(),
                }]
            }
            Ioc::Domain(host) => vec![one("Host", host.as_str())],
            Ioc::Hash(algorithm, digits) => {
                let prefix = Kind::from(*algorithm).prefix();
                vec![one("Hash", &format!("{prefix}{digits}"))]
            }
            Ioc::Url(url) => url.spellings().map(|text| one("URL", text)).collect(),
        }
    }

    /// Hands over the observables of the value.
    pub fn read(&self, rules: &Rules, observer: &mut dyn Observer) {
        let plan = Plan::new(rules);
        let steps = plan
            .provider(Self::PROVIDER)
            .map(|provider| provider.steps(None));
        for step in steps.unwrap_or_default() {
            FieldReader::default().read(step, &self.row(plan.fields()), observer);
        }
    }

    /// The value as a row whose fields have the numbers of these.
    fn row<'t>(&'t self, fields: &'t [&'t str]) -> TypedRow<'t> {
        TypedRow {
            value: self,
            fields,
        }
    }
}

struct TypedRow<'t> {
    value: &'t TypedValue,
    fields: &'t [&'t str],
}

impl Row for TypedRow<'_> {
    fn text(&self, field: usize, text: &mut String) -> bool {
        let name = self.fields.get(field);
        let mut fields = self.value.fields.iter();
        let found = fields.find(|(known, _)| name.is_some_and(|name| name == known));
        found.is_some_and(|(_, value)| {
            text.push_str(value);
            true
        })
    }
}

impl<'i, F: Feed<'i>> Matcher<'i, F> {
    /// Adds the hits of a value, as of a row of the place `Value`.
    pub fn ioc(&mut self, ioc: &Ioc<'_>, hits: &mut Vec<Hit<'i>>) {
        self.values(&TypedValue::all_of(ioc), hits);
    }

    /// Adds the hits of one value: those of the spelling that has the strongest.
    pub fn values(&mut self, values: &[TypedValue], hits: &mut Vec<Hit<'i>>) {
        let fields = self.plan().fields().to_vec();
        let mut best: Vec<Hit<'i>> = Vec::new();
        for value in values {
            let mut found = Vec::new();
            self.row(TypedValue::PROVIDER, None, &value.row(&fields), &mut found);
            let strongest = |hits: &[Hit<'i>]| hits.iter().map(|hit| hit.strength).max();
            if strongest(&found) > strongest(&best) {
                best = found;
            }
        }
        hits.append(&mut best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match read_value(text) {
            Ok(Ioc::Address(ip, port)) => format!("address {ip} {port:?}"),
            Ok(Ioc::Domain(host)) => format!("host {}", host.as_str()),
            Ok(Ioc::Url(url)) => format!("url {}", url.normalized),
            Ok(Ioc::Hash(algorithm, hex)) => format!("{algorithm:?} {hex}"),
            Err(reject) => reject.reason.name().to_owned(),
        }
    }

    #[test]
    fn a_value_is_told_by_its_look() {
        let md5 = "45c4710edc62df311612101b9160c7e1";
        for (text, expected) in [
            ("203.0.113.7", "address 203.0.113.7 None"),
            ("203.0.113.7:443", "address 203.0.113.7 Some(443)"),
            ("2001:db8:0::7", "address 2001:db8::7 None"),
            ("2001:db8::7:443", "address 2001:db8::7:443 None"),
            ("[2001:db8::7]:443", "address 2001:db8::7 Some(443)"),
            ("::ffff:203.0.113.7", "address 203.0.113.7 None"),
            ("Evil.Example.", "host evil.example"),
            ("evil.example:8080", "host evil.example"),
            ("evil.example/gate.php", "host evil.example"),
            ("beef.example", "host beef.example"),
            ("HTTP://Evil.example/A", "url http://evil.example/A"),
            (&md5.to_uppercase(), &format!("Md5 {md5}")),
            (&format!("MD5={md5}"), &format!("Md5 {md5}")),
            (&format!("md5:{md5}"), &format!("Md5 {md5}")),
            ("d41d8cd98f00b204e9800998ecf8427e", "never_indicator"),
            (&"0".repeat(40), "never_indicator"),
            ("IMPHASH=45c4710edc62df311612101b9160c7e1", "bad_domain"),
            ("abc.onion", "onion"),
            ("localhost", "bad_domain"),
            ("no such thing", "bad_domain"),
            ("http://", "bad_url"),
            ("203.0.113.700", "bad_domain"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
