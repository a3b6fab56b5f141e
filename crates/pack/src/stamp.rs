//! The last line of each released artifact: which release it is of, and the hash of the lines above. By it the artifact
//! Server.Import.ThreatFox.Pack knows what it has installed and what was edited since, whoever imported it and how.

use anyhow::Result;

use crate::artifact::Artifact;
use crate::inventory::VERSION;
use crate::sums;

/// How the line begins. The installer searches for it.
const BEGIN: &str = "# threatfox-pack";

/// The artifact with the line below it. `count` is how many artifacts the pack has, so that an incomplete one is noticed.
pub fn stamped(artifact: &Artifact, count: usize) -> Result<Artifact> {
    let text = artifact.text.trim_end();
    let sha256 = sums::sha256(text.as_bytes());
    artifact.with_text(format!(
        "{text}\n{BEGIN} version={VERSION} artifacts={count} sha256={sha256}\n"
    ))
}
