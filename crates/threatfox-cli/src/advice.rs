//! The cure for an error. The library says what is wrong and where; which option, command or variable helps is known
//! here
//! alone.

use std::io::{self, ErrorKind};

use threatfox::Error;
use threatfox::download::{CacheError, DownloadError};
use threatfox::error::{ApiError, Refusal};
use threatfox::reject::Reason;

const AGAIN: &str = "download it again";
const NEW_FEED: &str =
    "make the feed again with `threatfox normalize` or `threatfox fetch` of this version";
const LATER: &str = "try again later";
const PROXY_PAGE: &str =
    "log in at the proxy, or let it pass this address: a proxy's login page may be in the way";

/// For a temporary folder that cannot be made.
pub const TEMPORARY_FOLDER: &str = "set TMPDIR to a folder you may write to";
/// For a search by malware that the server fails at: <https://github.com/abusech/ThreatFox/issues/3>.
pub const LOWER_LIMIT: &str =
    "try a lower --limit: ThreatFox is known to fail where it is above the number of records";
/// For days that the API does not have.
pub const MORE_DAYS: &str = "for more days use --source full, or auto";

/// The cure for an error, if one is known.
pub fn advice(error: &anyhow::Error) -> Option<String> {
    let text = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(Error::NothingLeft { reasons, .. }) => Some(for_dropped(reasons)),
        _ => of_cause(cause).map(str::to_owned),
    });
    text.filter(|text| !text.is_empty())
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(error) = cause.downcast_ref::<Error>() {
        return of_library(error);
    }
    if let Some(error) = cause.downcast_ref::<DownloadError>() {
        return of_download(error);
    }
    if let Some(error) = cause.downcast_ref::<CacheError>() {
        return of_cache(error);
    }
    cause.downcast_ref::<io::Error>().and_then(of_system)
}

fn of_library(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Io { source, .. } => return of_system(source),
        Error::Unreadable { .. } | Error::Empty { .. } | Error::Incomplete { .. } => AGAIN,
        Error::WebPage { .. } => {
            "look at the file: an error page or a proxy's login page was saved instead; then download it again"
        }
        Error::UnknownFormat { .. } | Error::OtherFormat { .. } => {
            "give an export of abuse.ch, a MISP event, a STIX 2 bundle or a list of indicators, plain, gzipped or zipped; name the columns of any other CSV with --columns"
        }
        Error::NoIndicators { .. } => {
            "give a file that has some; where --input-format is given, name the form that the file has"
        }
        Error::SeveralFiles { .. } => "unpack it, and give its files",
        Error::OfNoUse { .. } => "give a list of files, addresses, names or URLs",
        Error::NoColumns { .. } => "name columns that it has with --columns, in its own spelling",
        Error::ColumnsNotNamed { .. } => {
            "name them with --columns value=COLUMN,type=COLUMN, under a header that has them; or read a list with --input-format list"
        }
        Error::OpenQuote { .. } => {
            "download the file again, or close it there: a quotation mark inside a field is written twice"
        }
        Error::Utf16 { .. } => "save it as UTF-8",
        Error::AlreadyFeed { .. } => "use it as it is",
        Error::NotFalsePositives { .. } => {
            "give the answer of the Hunting API's get_fplist, or the CSV of its page"
        }
        Error::NotFeed { .. } => "make a feed with `threatfox normalize` or `threatfox fetch`",
        Error::MissingColumns { .. } | Error::BrokenFeed { .. } => NEW_FEED,
        Error::Policy { .. } => "see docs/policy.md",
        Error::WarningList { .. } => "see docs/warning-lists.md",
        Error::Broken { .. } => {
            "download it again; if the error stays, the format has changed and needs a newer threatfox"
        }
        Error::Api { source, .. } => return of_api(source),
        Error::Refused(Refusal::Shrunk { .. }) => {
            "check whether the source is whole; if the loss is meant (another source, stricter options), repeat with --force"
        }
        Error::Refused(Refusal::DifferentKind { .. }) => {
            "name another file with -o, or replace it with --force"
        }
        Error::Refused(Refusal::NotLike { .. }) => "name another file, or remove this one first",
        Error::Refused(Refusal::IsRead { .. }) => "name another file",
        Error::TooLarge { .. } => "split the input",
        _ => return None,
    })
}

/// What would keep records that were dropped for these reasons. Most have no option: then the records must be looked at.
fn for_dropped(reasons: &[Reason]) -> String {
    if reasons.is_empty() {
        return "give a file that has records".to_owned();
    }
    let option = |reason: &Reason| match reason {
        Reason::LowConfidence => Some("lower --min-confidence"),
        Reason::TooOld => Some("raise --max-age or --days"),
        Reason::NotGlobal => Some("keep private addresses with --allow-private"),
        Reason::Policy => Some("look at the policy"),
        Reason::FalsePositive => Some("look at the list of false positives"),
        _ => None,
    };
    let mut ways: Vec<_> = reasons.iter().filter_map(option).collect();
    ways.push("see each record, and why it was dropped, with --rejects FILE");
    ways.join(", or ")
}

fn of_api(error: &ApiError) -> Option<&'static str> {
    Some(match error {
        ApiError::Key { .. } => {
            "the key is missing, mistyped or revoked: get a free one at https://auth.abuse.ch/ and set THREATFOX_AUTH_KEY or --auth-key-file"
        }
        ApiError::IllegalDays => "ask for fewer days, or for everything active with --source full",
        ApiError::IllegalSearchTerm => "check its spelling",
        ApiError::IllegalHash => "give an MD5 (32 digits) or SHA-256 (64 digits) in hexadecimal",
        ApiError::RateLimited { .. } => "wait, and ask less often",
        ApiError::Other { .. } => {
            "see the page of the API, such as https://threatfox.abuse.ch/api/"
        }
        _ => return None,
    })
}

fn of_download(error: &DownloadError) -> Option<&'static str> {
    Some(match error {
        DownloadError::KeyUnusable(_) => "copy it again from https://auth.abuse.ch/",
        DownloadError::KeyFile { source, .. }
        | DownloadError::CaFileUnreadable { source, .. }
        | DownloadError::Temporary { source, .. } => return of_system(source),
        DownloadError::KeyMissing { .. } => {
            "get a free one at https://auth.abuse.ch/ and set THREATFOX_AUTH_KEY, or name a file that holds it with --auth-key-file"
        }
        DownloadError::KeyRefused { .. } => {
            "check it at https://auth.abuse.ch/, where it may have been renewed; a company proxy can refuse requests with the same status"
        }
        DownloadError::KeyInClear { .. } => "use https; plain http is for this machine only",
        DownloadError::Days(_) => "for more use the full export: --source full, or auto",
        DownloadError::CaFile { .. } => "name a file with certificates in PEM form",
        DownloadError::Tls(_) => {
            "install the system's CA certificates (package ca-certificates), or name a PEM file with --ca-file"
        }
        DownloadError::Certificate { .. } => {
            "if your company inspects TLS, name its CA certificate with --ca-file; if it is said to be expired or not yet valid, check this machine's clock"
        }
        DownloadError::Connect { .. } => {
            "check the network, DNS and the proxy variables (HTTPS_PROXY)"
        }
        DownloadError::NotTls { .. }
        | DownloadError::ProxyRefused { .. }
        | DownloadError::WebPage { .. } => PROXY_PAGE,
        DownloadError::ProxyLogin { .. } => "set them in HTTPS_PROXY",
        DownloadError::Timeout { .. } => "try again later, or raise --timeout",
        DownloadError::RateLimited { .. } => {
            "ask less often: the exports change at most every 5 minutes"
        }
        DownloadError::Status { status, .. } => match status {
            304 => "a cache between here and the server is broken: bypass it",
            403 => "a proxy or the service refuses this machine, or an Auth-Key is needed now",
            404 | 410 => {
                "the address is wrong or no longer used: give the new one with --source, --export-url or --api-url"
            }
            500.. => "server error: try again later",
            _ => "check the address",
        },
        DownloadError::Redirect { .. } => {
            "log in at the proxy if its login page is in the way; if the service moved, give its new address with --source, --export-url or --api-url"
        }
        DownloadError::Empty { .. }
        | DownloadError::Broken { .. }
        | DownloadError::TooSlow { .. } => LATER,
        DownloadError::Request { .. }
        | DownloadError::TooLarge { .. }
        | DownloadError::UnpacksTooLarge { .. }
        | DownloadError::Address { .. } => "check the address",
        _ => return None,
    })
}

fn of_cache(error: &CacheError) -> Option<&'static str> {
    Some(match error {
        CacheError::NotPrivate { .. } => {
            "name a folder of your own with --cache, not a link to one, and make it private: chmod 700"
        }
        CacheError::Io { .. } => "choose another folder with --cache",
        _ => return None,
    })
}

fn of_system(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "check the name, and that the folder exists",
        ErrorKind::IsADirectory => "name a file in this folder",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to do it, or choose another place"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room there, or choose another place"
        }
        ErrorKind::FileTooLarge => "raise the limit on the size of files (ulimit -f)",
        _ => return None,
    })
}
