//! A value that a user typed or pasted: what it matches.

use super::{Feed, Hit, Matcher};
use crate::ioc::Ioc;
use crate::match_key::Kind;
use crate::rules::Rules;
use crate::rules::plan::{FieldReader, Plan, Row};
use crate::rules::reader::Observer;

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
            // Of all its addresses the first: a feed has a row for each or for none.
            Ioc::Network(network) => vec![one("Address", &network.addr().to_string())],
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
