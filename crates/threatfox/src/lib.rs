//! ThreatFox indicators of compromise: reading, normalizing and writing a feed.

pub mod download;
