//! `matches.csv`: what an observable is called, and how strong it is.

use super::table::Table;
use super::{Kind, RulesError};

const TABLE: Table = Table {
    file: "matches.csv",
    columns: &["role", "kind", "match", "strength"],
};

/// The strength of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// A hint, such as the host of a URL that many parties may use.
    Weak,
    /// Close to the indicator, such as its address at another port.
    Medium,
    /// The indicator itself.
    Strong,
}

impl Strength {
    /// All, the weakest first.
    pub const ALL: [Self; 3] = [Self::Weak, Self::Medium, Self::Strong];

    /// The name in a hit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Medium => "medium",
            Self::Strong => "strong",
        }
    }
}

/// The relation of a key of the feed to an observable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The observable is this key.
    Key(Kind),
    /// It is an address, and at one of the indicator's ports.
    IpPort,
    /// It is a name below the key, a domain.
    Subdomain,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::IpPort,
        Self::Key(Kind::Ip),
        Self::Key(Kind::Domain),
        Self::Subdomain,
        Self::Key(Kind::UrlHost),
        Self::Key(Kind::Url),
        Self::Key(Kind::Md5),
        Self::Key(Kind::Sha1),
        Self::Key(Kind::Sha256),
    ];

    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key(kind) => kind.name(),
            Self::IpPort => "ip:port",
            Self::Subdomain => "subdomain",
        }
    }
}

/// A role: where an observable stood. Roles are those of the table; see [`Matches::role_name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Role(usize);

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where the observable stood.
    pub role: Role,
    /// The key's kind.
    pub kind: KeyKind,
    /// Its name in a hit.
    pub name: Box<str>,
    /// Its strength.
    pub strength: Strength,
}

/// The rows of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    roles: Vec<Box<str>>,
    rows: Vec<Match>,
}

impl Matches {
    pub(super) fn parse(text: &str) -> Result<Self, RulesError> {
        let mut matches = Self::default();
        for row in TABLE.rows(text)? {
            let [role, kind, name, strength] = [0, 1, 2, 3].map(|column| row.filled(column));
            let (role, kind, name, strength) = (role?, kind?, name?, strength?);
            let kind = find(KeyKind::ALL, KeyKind::name, kind)
                .ok_or_else(|| row.not(1, kind, "a kind", names(KeyKind::ALL, KeyKind::name)))?;
            let strength = find(Strength::ALL, Strength::name, strength).ok_or_else(|| {
                let cure = names(Strength::ALL, Strength::name);
                row.not(3, strength, "a strength", cure)
            })?;
            let role = matches.add_role(role);
            if matches.get(role, kind).is_some() {
                return Err(row.twice());
            }
            let same = |other: &&Match| *other.name == *name && other.strength != strength;
            if let Some(other) = matches.rows.iter().find(same) {
                let problem = format!(
                    "the match {name:?} is {} in another row",
                    other.strength.name()
                );
                return Err(row.error(3, problem, "Give a match one strength"));
            }
            matches.rows.push(Match {
                role,
                kind,
                name: name.into(),
                strength,
            });
        }
        Ok(matches)
    }

    fn add_role(&mut self, name: &str) -> Role {
        self.role(name).unwrap_or_else(|| {
            self.roles.push(name.into());
            Role(self.roles.len() - 1)
        })
    }

    /// The rows, in their order.
    #[must_use]
    pub fn rows(&self) -> &[Match] {
        &self.rows
    }

    /// The names of the roles, in the order in which the table has them.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(|name| &**name)
    }

    /// The role of a name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        self.roles.iter().position(|role| **role == *name).map(Role)
    }

    /// The name of a role.
    #[must_use]
    pub fn role_name(&self, role: Role) -> &str {
        self.roles.get(role.0).map_or("", |name| name)
    }

    /// The name of the match when a key of this kind is in a role. An `ip:port` without a row is an `ip`. `None` where
    /// that is not a match.
    #[must_use]
    pub fn find(&self, role: Role, kind: KeyKind) -> Option<&Match> {
        let found = self.get(role, kind);
        if found.is_none() && kind == KeyKind::IpPort {
            return self.get(role, KeyKind::Key(Kind::Ip));
        }
        found
    }

    fn get(&self, role: Role, kind: KeyKind) -> Option<&Match> {
        let wanted = |row: &&Match| row.role == role && row.kind == kind;
        self.rows.iter().find(wanted)
    }
}

/// The one of these that has a name.
fn find<T: Copy, const N: usize>(
    all: [T; N],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Option<T> {
    all.into_iter().find(|one| name_of(*one) == name)
}

fn names<T, const N: usize>(all: [T; N], name_of: fn(T) -> &'static str) -> String {
    format!("Give one of {}", all.map(name_of).join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;

    fn found(role: &str, kind: KeyKind) -> Option<(&'static str, &'static str)> {
        let matches = Rules::built_in().matches();
        let found = matches.find(matches.role(role).unwrap(), kind)?;
        Some((&found.name, found.strength.name()))
    }

    #[test]
    fn a_match_and_its_strength_follow_from_role_and_kind() {
        for (role, kind, expected) in [
            ("destination", KeyKind::IpPort, ("ip:port", "strong")),
            ("source", KeyKind::IpPort, ("inbound", "medium")),
            ("answer", KeyKind::Subdomain, ("dns answer", "medium")),
            (
                "command line",
                KeyKind::Key(Kind::Ip),
                ("command line ip", "weak"),
            ),
            ("fault", KeyKind::Key(Kind::Ip), ("ip (ipv6 fault)", "weak")),
        ] {
            assert_eq!(found(role, kind), Some(expected), "{role}");
        }
    }

    #[test]
    fn an_address_at_a_port_is_an_address_where_the_table_has_no_row_for_ports() {
        assert_eq!(found("query", KeyKind::IpPort), Some(("ip", "medium")));
    }

    #[test]
    fn what_has_no_row_is_not_a_match() {
        for (role, kind) in [
            ("source", KeyKind::Key(Kind::UrlHost)),
            ("answer", KeyKind::Key(Kind::UrlHost)),
            ("file", KeyKind::Key(Kind::Url)),
            ("fault", KeyKind::Key(Kind::Domain)),
        ] {
            assert_eq!(found(role, kind), None, "{role}");
        }
    }
}
