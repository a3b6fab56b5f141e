//! The lists of the folder `rules/warning_lists`, as they were when this program was built.

/// Names a list of the folder once, for its name and for its text.
macro_rules! lists {
    ($($name:literal,)*) => {
        [$(($name, include_str!(concat!("../../../../rules/warning_lists/", $name, ".json")))),*]
    };
}

/// Each list's name and text.
pub(super) const LISTS: [(&str, &str); 20] = lists![
    "akamai",
    "bunny-net",
    "captive-portals",
    "cloudflare",
    "common-ioc-false-positive",
    "crl-hostname",
    "empty-hashes",
    "fastly",
    "link-in-bio",
    "microsoft-office365-ip",
    "public-dns-v6",
    "sinkholes",
    "stackpath",
    "telegram-ips",
    "umbrella-blockpage-hostname",
    "umbrella-blockpage-v4",
    "umbrella-blockpage-v6",
    "url-shortener",
    "well-known-resolvers",
    "whats-my-ip",
];
