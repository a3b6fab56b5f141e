//! The spellings of a value: a list may have any of them, and a feed has a row for each.

use std::net::IpAddr;

use super::list::Classes;
use crate::host::Host;
use crate::rules::reader::canonical;
use crate::url::IocUrl;

/// The spelling of a list's entry that a feed has for sure; none for what a feed has in one spelling alone.
pub(super) fn normal(entry: &str) -> Option<String> {
    if entry.contains("://") {
        return IocUrl::parse(entry).ok().map(|url| url.normalized);
    }
    if let Ok(ip) = entry.parse::<IpAddr>() {
        return Some(canonical(ip).to_string());
    }
    let host = Host::parse(entry).ok();
    host.map(|host| host.as_str().to_owned())
}

/// The other spellings of a name or a URL of a feed: as browsers read it, and in the user's script.
pub(super) fn others(value: &str, class: Classes) -> Vec<String> {
    let (normal, unicode) = if class.meets(Classes::URL) {
        let url = IocUrl::parse(value).ok();
        let unicode = url.as_ref().and_then(IocUrl::unicode);
        (url.map(|url| url.normalized), unicode)
    } else if class.meets(Classes::HOST) && (!value.is_ascii() || value.contains("xn--")) {
        let host = Host::parse(value).ok();
        let unicode = host.as_ref().and_then(Host::unicode);
        (host.map(|host| host.as_str().to_owned()), unicode)
    } else {
        return Vec::new();
    };
    let both = normal.into_iter().chain(unicode);
    both.filter(|text| text != value).collect()
}
