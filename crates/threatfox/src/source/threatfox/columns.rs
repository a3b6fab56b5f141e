//! The names of the columns in ThreatFox's formats.

use crate::record::Column;

/// The meaning of a column's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnName<'a> {
    /// The column is read.
    Used(Column),
    /// The column is known and not needed.
    Unused,
    /// No format had the name when this was written: it is reported, never fatal.
    Unknown(&'a str),
}

/// Finds the column behind a name of the CSV export, the JSON export or the API.
pub(super) fn column_of(name: &str) -> ColumnName<'_> {
    ColumnName::Used(match name {
        "ioc_id" | "id" => Column::Id,
        "ioc_value" | "ioc" => Column::Ioc,
        "ioc_type" => Column::IocType,
        "threat_type" => Column::ThreatType,
        "fk_malware" | "malware" => Column::Malware,
        "malware_printable" => Column::MalwarePrintable,
        "first_seen_utc" | "first_seen" => Column::FirstSeen,
        "last_seen_utc" | "last_seen" => Column::LastSeen,
        "confidence_level" => Column::Confidence,
        "is_compromised" => Column::Compromised,
        "reference" => Column::Reference,
        "tags" => Column::Tags,
        "reporter" => Column::Reporter,
        "malware_alias" | "anonymous" | "threat_type_desc" | "ioc_type_desc"
        | "malware_malpedia" | "malware_samples" | "comment" | "credits" => {
            return ColumnName::Unused;
        }
        unknown => return ColumnName::Unknown(unknown),
    })
}
