//! A value whose type has another tool's name, or none.

use super::Sink;
use super::row::unknown_type;
use super::types::{plain, type_of};
use crate::error::Error;
use crate::ioc::IocType;
use crate::record::{Column, RawRecord};
use crate::value::{refang, type_value};

/// Hands over the indicators of a value as people write it, defanged perhaps. Of a composite type (`filename|md5`) these are the
/// parts that are looked for.
pub(super) fn written(
    value: &str,
    type_name: &str,
    raw: &RawRecord<'_>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let mut raw: RawRecord<'_> = *raw;
    let Some((first, second)) = value.rsplit_once('|') else {
        return typed(&refang(value), type_name, raw, sink);
    };
    match &*plain(type_name) {
        "ip-src|port" | "ip-dst|port" => {
            raw.set(Column::Port, second);
            typed(&refang(first), type_name, raw, sink)
        }
        "hostname|port" => typed(&refang(first), type_name, raw, sink),
        "domain|ip" => {
            typed(&refang(first), "domain", raw, sink)?;
            typed(&refang(second), "ip-dst", raw, sink)
        }
        "malware-sample" => typed(second, "md5", raw, sink),
        name if name.starts_with("filename|") => typed(second, type_name, raw, sink),
        _ => typed(&refang(value), type_name, raw, sink),
    }
}

/// Hands over a record of a value; where its type has no name, the value says it.
pub(super) fn typed<'a>(
    value: &'a str,
    type_name: &'a str,
    mut raw: RawRecord<'a>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    raw.set(Column::Ioc, value);
    if !type_name.is_empty() {
        raw.set(Column::IocType, type_name);
        let Some(ioc_type) = type_of(type_name) else {
            return unknown_type(&raw, sink);
        };
        raw.set(Column::IocType, ioc_type.name());
        return sink.record(&raw);
    }
    match type_value(value) {
        Ok((ioc_type, texts)) => texts.iter().try_for_each(|text| {
            let mut raw: RawRecord<'_> = raw;
            raw.set(Column::IocType, IocType::name(ioc_type));
            raw.set(Column::Ioc, text);
            sink.record(&raw)
        }),
        Err(reject) => sink.unreadable(&raw, &reject),
    }
}
