//! The options of every command that asks abuse.ch, and what is shown while it waits.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use threatfox::download::{
    AuthKey, Cached, Client, ClientOptions, Download, DownloadError, Event, Request,
};
use threatfox::temporary::TemporaryFolder;

use crate::advice::TEMPORARY_FOLDER;
use crate::answer::{Answer, Kept};
use crate::message::message;
use crate::say::say;

/// Where and how to ask. The key itself is not an option, as other users could read it in the list of processes.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Network (HTTPS_PROXY, NO_PROXY and THREATFOX_AUTH_KEY are read from the environment)"
)]
pub struct NetworkOptions {
    #[arg(
        long,
        value_name = "FILE",
        help = "Read the Auth-Key from this file instead of the environment variable THREATFOX_AUTH_KEY"
    )]
    auth_key_file: Option<PathBuf>,

    /// The address of the API
    #[arg(long, value_name = "URL", default_value = ClientOptions::API_URL)]
    api_url: url::Url,

    /// The base address of the exports, for a mirror
    #[arg(long, value_name = "URL", default_value = ClientOptions::EXPORT_URL)]
    export_url: url::Url,

    /// The address of the Hunting API, which has the list of false positives
    #[arg(long, value_name = "URL", default_value = ClientOptions::HUNTING_URL)]
    hunting_url: url::Url,

    /// Trust the certificates in this PEM file too, such as your company's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The longest wait in seconds: for a connection, for an answer, and for each part of it
    #[arg(long, value_name = "SECONDS", default_value_t = ClientOptions::TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl NetworkOptions {
    /// The files that are read.
    pub fn files(&self) -> Vec<&Path> {
        let files = [&self.auth_key_file, &self.ca_file];
        files
            .into_iter()
            .filter_map(|file| file.as_deref())
            .collect()
    }
}

/// The client of a command, with the key it must not show.
pub struct Network {
    client: Client,
    key: Option<AuthKey>,
    /// Lives as long as what was downloaded is read.
    _downloads: TemporaryFolder,
}

impl Network {
    pub fn new(options: &NetworkOptions) -> anyhow::Result<Self> {
        let downloads = TemporaryFolder::new().map_err(|error| {
            let place = std::env::temp_dir();
            let place = place.display();
            anyhow!("can't make a temporary folder in {place}: {error}: {TEMPORARY_FOLDER}")
        })?;
        let key = match &options.auth_key_file {
            Some(path) => Some(AuthKey::from_file(path)?),
            None => AuthKey::from_env()?,
        };
        let client_options = ClientOptions {
            api_url: options.api_url.clone(),
            export_url: options.export_url.clone(),
            hunting_url: options.hunting_url.clone(),
            ca_file: options.ca_file.clone(),
            timeout: Duration::from_secs(options.timeout),
            temporary_folder: Some(downloads.path().to_owned()),
        };
        Ok(Self {
            client: Client::new(client_options, key.clone())?,
            key,
            _downloads: downloads,
        })
    }

    pub fn has_key(&self) -> bool {
        self.client.has_key()
    }

    /// Asks, without a cache.
    pub fn download(&self, request: &Request) -> Result<Download, DownloadError> {
        Self::watched(request, |watch| self.client.download(request, watch))
    }

    /// The cached answer, of any age.
    pub fn find(
        &self,
        request: &Request,
        kept: Option<&Kept>,
    ) -> Result<Option<Cached>, DownloadError> {
        let name = self.client.cache_name(request)?;
        Ok(kept.and_then(|kept| kept.cache.find(&name)))
    }

    /// Asks, or takes the answer from the cache where it is young, or the server says that it has not changed.
    pub fn obtain(&self, request: &Request, kept: Option<&Kept>) -> anyhow::Result<Answer> {
        let name = self.client.cache_name(request)?;
        let old = kept.and_then(|kept| Some((kept, kept.cache.find(&name)?)));
        let Some((kept, old)) = old else {
            return Ok(Answer::New(self.download(request)?, name));
        };
        if old.is_fresh(kept.max_age) {
            say!(
                "using the cache, which is younger than {} s",
                kept.max_age.as_secs()
            );
            return Ok(Answer::Old(old));
        }
        let changed = Self::watched(request, |watch| {
            self.client
                .download_if_changed(request, &old.validators, watch)
        })?;
        if let Some(download) = changed {
            return Ok(Answer::New(download, name));
        }
        say!("not changed since it was downloaded into the cache");
        kept.cache.still_good(&name, &old)?;
        Ok(Answer::Old(old))
    }

    /// Retries go to standard error, a progress bar only to a terminal.
    fn watched<T>(request: &Request, ask: impl FnOnce(&mut dyn FnMut(Event<'_>)) -> T) -> T {
        let bar = progress_bar();
        bar.set_message(request.to_string());
        let result = ask(&mut |event| match event {
            Event::Progress { received, total } => {
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_position(received);
            }
            Event::Retry { error, wait } => {
                let wait = wait.as_secs();
                bar.suspend(|| {
                    say!("{error}");
                    say!("trying again in {wait} s");
                });
            }
        });
        bar.finish_and_clear();
        result
    }

    /// A text without the key.
    pub fn without_key(&self, text: &str) -> String {
        self.key
            .as_ref()
            .map_or_else(|| text.to_owned(), |key| key.redact(text))
    }

    /// Takes the key out of an error, should a server have echoed it in the answer that the error quotes.
    pub fn hide_key(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(key) = &self.key else { return error };
        let text = message(&error);
        let hidden = key.redact(&text);
        if hidden == text {
            error
        } else {
            anyhow::Error::msg(hidden)
        }
    }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {msg}: {bytes} ({bytes_per_sec}, {elapsed})")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
