//! The rules for addresses: what may be asked, where the Auth-Key may go, which redirects are followed, what may be shown.

use reqwest::StatusCode;
use url::{Host, Url};

use super::DownloadError;

/// Redirects followed for one request.
pub(super) const MAX_REDIRECTS: usize = 5;

/// The address without what could be secret: user name, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that can't have user names, and then there is nothing to hide.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Can this be the address of a service?
pub(super) fn check(url: &Url) -> Result<(), DownloadError> {
    let reason = if !matches!(url.scheme(), "https" | "http") {
        "it must begin with https://"
    } else if !url.has_host() {
        "it has no host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it must not hold a user name or password, which others can read in the process list"
    } else {
        return Ok(());
    };
    Err(DownloadError::Address {
        url: shown(url),
        reason,
    })
}

/// Is the address asked by TLS, or on this machine?
#[must_use]
pub fn is_https_or_local(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// Does the address stay on this machine? Only there may the key go without TLS, and no proxy is asked.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Refuses to ask another source in the clear: what it answers could be anybody's.
pub(super) fn check_by_tls(url: &Url) -> Result<(), DownloadError> {
    if is_https_or_local(url) {
        return Ok(());
    }
    Err(DownloadError::Address {
        url: shown(url),
        reason: "it must begin with https://; plain http is for this machine only",
    })
}

/// Refuses to send the key in the clear.
pub(super) fn check_for_key(url: &Url) -> Result<(), DownloadError> {
    if is_https_or_local(url) {
        Ok(())
    } else {
        Err(DownloadError::KeyInClear { url: shown(url) })
    }
}

/// Does an export's server belong to abuse.ch, or is it the very host that gets the key as API anyway? A mirror
/// that keeps copies of the exports has no business with the key.
pub(super) fn export_may_have_key(export: &Url, api: &Url) -> bool {
    let abuse_ch = export
        .domain()
        .is_some_and(|name| name == "abuse.ch" || name.ends_with(".abuse.ch"));
    abuse_ch || export.host() == api.host()
}

/// A redirect that is not followed.
#[derive(Debug)]
pub(super) struct NotFollowed {
    /// The address, as it may be shown.
    pub to: String,
    pub reason: &'static str,
}

/// The next address of a redirect, or why it is not followed. Only the same host, on TLS (or as it was, on this machine),
/// is.
/// Another port is another server.
pub(super) fn redirect(
    status: StatusCode,
    from: &Url,
    location: &str,
    posted: bool,
) -> Result<Url, NotFollowed> {
    let Ok(next) = from.join(location) else {
        return Err(NotFollowed {
            to: "an address that can't be read".into(),
            reason: "it is not a URL",
        });
    };
    let reason = if next.host() != from.host() {
        "it is another host"
    } else if next.scheme() != "https" && !(next.scheme() == from.scheme() && is_loopback(&next)) {
        "it is not https"
    } else if next.scheme() == from.scheme()
        && next.port_or_known_default() != from.port_or_known_default()
    {
        "it is another port"
    } else if posted && !matches!(status.as_u16(), 307 | 308) {
        "the question would get lost on the way"
    } else if !next.username().is_empty() || next.password().is_some() {
        "it holds a user name or password"
    } else {
        return Ok(next);
    };
    Err(NotFollowed {
        to: shown(&next),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_key_travels_by_tls_or_on_this_machine() {
        for good in [
            "https://threatfox-api.abuse.ch/api/v1/",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert!(check_for_key(&url(good)).is_ok(), "{good}");
        }
        for bad in [
            "http://threatfox-api.abuse.ch/",
            "http://10.0.0.1/",
            "http://localhost.evil.example/",
        ] {
            assert!(check_for_key(&url(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_with_another_scheme_or_a_password_are_refused_without_showing_it() {
        for bad in [
            "ftp://threatfox.abuse.ch/",
            "file:///etc/passwd",
            "https://me:hunter2@abuse.ch/",
        ] {
            let error = check(&url(bad)).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_mirror_does_not_get_the_key() {
        let api = url("https://threatfox-api.abuse.ch/api/v1/");
        assert!(export_may_have_key(
            &url("https://threatfox.abuse.ch/export/"),
            &api
        ));
        assert!(!export_may_have_key(
            &url("https://mirror.example/export/"),
            &api
        ));
        assert!(!export_may_have_key(
            &url("https://notabuse.ch/export/"),
            &api
        ));
        assert!(export_may_have_key(
            &url("http://127.0.0.1:2/"),
            &url("http://127.0.0.1:1/")
        ));
    }

    #[test]
    fn redirects_stay_on_the_host_and_on_tls() {
        let from = url("https://threatfox.abuse.ch/export/csv/recent");
        let go = |location| redirect(StatusCode::MOVED_PERMANENTLY, &from, location, false);
        assert_eq!(
            go("recent/").unwrap(),
            url("https://threatfox.abuse.ch/export/csv/recent/")
        );
        assert!(go("https://threatfox.abuse.ch/elsewhere").is_ok());
        for bad in [
            "https://evil.example/",
            "http://threatfox.abuse.ch/export/csv/recent/",
            "https://threatfox.abuse.ch:8443/",
            "//evil.example/",
            "https://threatfox.abuse.ch@evil.example/",
            "https://u:p@threatfox.abuse.ch/",
        ] {
            assert!(go(bad).is_err(), "{bad}");
        }
        let posted = |status| redirect(status, &from, "recent/", true);
        assert!(posted(StatusCode::FOUND).is_err());
        assert!(posted(StatusCode::TEMPORARY_REDIRECT).is_ok());
    }
}
