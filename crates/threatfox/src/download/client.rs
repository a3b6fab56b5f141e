//! The client: builds each request, sends it by the rules, and turns each way it can end into a result.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use reqwest::blocking::Client as Http;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::answer::{body, is_packed, text_of, with_wait};
use super::retry::Retries;
use super::transfer::{self, Bounds, Incoming};
use super::{
    AuthKey, Download, DownloadError, Event, Other, Period, Request, Validators, url_policy,
};
use crate::source::Budget;
use crate::text::hex;

const AUTH_KEY: HeaderName = HeaderName::from_static("auth-key");

/// The longest wait for a connection, of the many that may be tried.
const MAX_CONNECT_WAIT: Duration = Duration::from_secs(20);

/// Where and how to ask.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The API, <https://threatfox-api.abuse.ch/api/v1/>.
    pub api_url: Url,
    /// The base of the exports, <https://threatfox.abuse.ch/export/>.
    pub export_url: Url,
    /// The Hunting API, <https://hunting-api.abuse.ch/api/v1/>.
    pub hunting_url: Url,
    /// Certificates in PEM form, trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The longest silence: for the connection, for the answer to begin, and within it.
    pub timeout: Duration,
    /// Where to keep what is received; the system's folder for temporary files if not given.
    pub temporary_folder: Option<PathBuf>,
}

impl ClientOptions {
    /// The address of the API.
    pub const API_URL: &'static str = "https://threatfox-api.abuse.ch/api/v1/";
    /// The base of the exports.
    pub const EXPORT_URL: &'static str = "https://threatfox.abuse.ch/export/";
    /// The address of the Hunting API.
    pub const HUNTING_URL: &'static str = "https://hunting-api.abuse.ch/api/v1/";
    /// The time-out if none is given.
    pub const TIMEOUT: Duration = Duration::from_secs(60);
}

/// Asks abuse.ch, with a key or without one. Uses the proxy variables of the environment, except for this machine.
#[derive(Debug)]
pub struct Client {
    pub(super) options: ClientOptions,
    key: Option<AuthKey>,
    certificates: Vec<Certificate>,
    pub(super) retries: Retries,
    pub(super) bounds: Bounds,
}

/// A request, ready to be sent.
pub(super) struct Prepared {
    pub url: Url,
    pub body: Option<Vec<u8>>,
    pub headers: HeaderMap,
    /// The request and its address, without secrets.
    pub source_name: String,
    pub with_key: bool,
}

impl Client {
    /// Checks the addresses and reads the certificates; sends nothing yet.
    ///
    /// # Errors
    /// [`DownloadError::Address`], [`DownloadError::CaFile`].
    pub fn new(mut options: ClientOptions, key: Option<AuthKey>) -> Result<Self, DownloadError> {
        for url in [&options.api_url, &options.export_url, &options.hunting_url] {
            url_policy::check(url)?;
        }
        if !options.export_url.path().ends_with('/') {
            // A base without it would lose its last part when a path is joined to it.
            let path = format!("{}/", options.export_url.path());
            options.export_url.set_path(&path);
        }
        let certificates = match &options.ca_file {
            Some(path) => read_certificates(path)?,
            None => Vec::new(),
        };
        Ok(Self {
            options,
            key,
            certificates,
            retries: Retries::default(),
            bounds: Bounds::default(),
        })
    }

    /// Is there a key to send?
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Asks, and gives the whole answer.
    ///
    /// # Errors
    /// Any [`DownloadError`]; those that may pass (no connection, 429, 5xx) only after up to five tries in two minutes.
    pub fn download(
        &self,
        request: &Request,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Download, DownloadError> {
        let unconditional = Validators::default();
        match self.download_if_changed(request, &unconditional, watch)? {
            Some(download) => Ok(download),
            // "Not modified", though nothing was named that it could be measured by.
            None => Err(DownloadError::Status {
                source_name: request.to_string(),
                status: StatusCode::NOT_MODIFIED.as_u16(),
                said: String::new(),
            }),
        }
    }

    /// As [`Client::download`], or nothing where the server says that the document is still the `known` one.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub fn download_if_changed(
        &self,
        request: &Request,
        known: &Validators,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<Download>, DownloadError> {
        let prepared = self.prepare(request, known)?;
        let http = self.connect(&prepared.url)?;
        let answer = self.retries.run(
            || self.send(&http, &prepared),
            |error, wait| watch(Event::Retry { error, wait }),
        );
        let response = answer.map_err(|(error, asked)| with_wait(error, asked))?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let validators = Validators {
            etag: text_of(response.headers(), header::ETAG),
            last_modified: text_of(response.headers(), header::LAST_MODIFIED),
        };
        let incoming = Incoming {
            source_name: &prepared.source_name,
            expected: response.content_length().filter(|_| !is_packed(&response)),
            timeout: self.options.timeout,
            folder: self
                .options
                .temporary_folder
                .clone()
                .unwrap_or_else(std::env::temp_dir),
        };
        let budget = Budget::default();
        let body = body(response, &budget);
        let (file, bytes) = transfer::receive(body, &incoming, &self.bounds, watch)?;
        Ok(Some(Download {
            file,
            bytes,
            source_name: prepared.source_name,
            validators,
        }))
    }

    /// The name under which a [`super::Cache`] keeps the answer: the same for the same question to the same address.
    ///
    /// # Errors
    /// As for a request that can't be sent.
    pub fn cache_name(&self, request: &Request) -> Result<String, DownloadError> {
        let prepared = self.prepare(request, &Validators::default())?;
        let question = format!("{} {request:?}", prepared.source_name);
        let digest = Sha256::digest(question.as_bytes());
        Ok(hex(&digest[..16]))
    }

    fn prepare(&self, request: &Request, known: &Validators) -> Result<Prepared, DownloadError> {
        let (url, needs_key) = match request {
            Request::Iocs(_) | Request::Search(_) => (self.options.api_url.clone(), true),
            Request::FalsePositives => (self.options.hunting_url.clone(), true),
            Request::Export(export) => {
                (join(&self.options.export_url, &export.to_string())?, false)
            }
            Request::KeyedExport(period) => (self.keyed_url(request, *period)?, true),
            Request::Other(other) => (self.other_url(other)?, other.wants_key()),
        };
        let source_name = self.redact(&format!("{} ({request})", url_policy::shown(&url)));
        let mut headers = HeaderMap::new();
        let key = match &self.key {
            None if needs_key => return Err(DownloadError::KeyMissing { source_name }),
            Some(key)
                if needs_key || url_policy::export_may_have_key(&url, &self.options.api_url) =>
            {
                Some(key)
            }
            _ => None,
        };
        if let Some(key) = key {
            url_policy::check_for_key(&url)?;
            headers.insert(AUTH_KEY, key.header()?);
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let body = request.body()?.map(|body| body.to_string().into_bytes());
        if body.is_some() {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        for (name, value) in [
            (header::IF_NONE_MATCH, &known.etag),
            (header::IF_MODIFIED_SINCE, &known.last_modified),
        ] {
            if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
        Ok(Prepared {
            url,
            body,
            headers,
            source_name,
            with_key: key.is_some(),
        })
    }

    /// `https://threatfox-api.abuse.ch/v2/files/exports/<AUTH-KEY>/full.csv.zip`, on the API's host.
    fn keyed_url(&self, request: &Request, period: Period) -> Result<Url, DownloadError> {
        let api = &self.options.api_url;
        let Some(key) = &self.key else {
            let source_name = format!("{} ({request})", url_policy::shown(api));
            return Err(DownloadError::KeyMissing { source_name });
        };
        let mut url = join(api, "/v2/files/exports/")?;
        let name = match period {
            Period::Recent => "recent.csv.zip",
            Period::Full => "full.csv.zip",
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(key.expose()).push(name);
        }
        Ok(url)
    }

    /// The address of another source's export, with the key where it wants one and may have it.
    fn other_url(&self, other: &Other) -> Result<Url, DownloadError> {
        url_policy::check(&other.url)?;
        url_policy::check_by_tls(&other.url)?;
        if !other.wants_key() {
            return Ok(other.url.clone());
        }
        let source_name = format!("{} ({} export)", url_policy::shown(&other.url), other.name);
        let Some(key) = &self.key else {
            return Err(DownloadError::KeyMissing { source_name });
        };
        if !url_policy::export_may_have_key(&other.url, &self.options.api_url) {
            return Err(DownloadError::Address {
                url: url_policy::shown(&other.url),
                reason: "the Auth-Key is for addresses of abuse.ch alone",
            });
        }
        Ok(other.with_key(key.expose()))
    }

    /// The HTTP client for one request, so that edited roots and proxy variables count at once in a long-running caller.
    fn connect(&self, url: &Url) -> Result<Http, DownloadError> {
        install_tls_provider();
        let mut builder = Http::builder()
            .user_agent(concat!("threatfox/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(self.options.timeout)
            .connect_timeout(self.options.timeout.min(MAX_CONNECT_WAIT))
            .tls_certs_merge(self.certificates.iter().cloned());
        if url_policy::is_loopback(url) {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| DownloadError::Tls(transfer::root_cause(&error)))
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.key
            .as_ref()
            .map_or_else(|| text.to_owned(), |key| key.redact(text))
    }
}

/// reqwest is built without a cryptography library of its own choice; ring is ours. A caller's earlier choice stays.
fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, DownloadError> {
    let unusable = |reason: String| DownloadError::CaFile {
        path: path.into(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|source| DownloadError::CaFileUnreadable {
        path: path.into(),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|error| unusable(transfer::root_cause(&error)))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".into()));
    }
    Ok(certificates)
}

fn join(base: &Url, path: &str) -> Result<Url, DownloadError> {
    base.join(path).map_err(|_| DownloadError::Address {
        url: url_policy::shown(base),
        reason: "nothing can be joined to it",
    })
}
