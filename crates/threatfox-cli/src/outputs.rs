//! Two results never go to one place: one of them would be lost, or both be mixed.

use std::path::Path;

use threatfox::output::same_place;

use crate::commands::Usage;

/// The place of what is written to standard output without an option that names it.
pub const STDOUT: &str = "-";

/// Checks that outputs go to different places. Each is the option that names it, and the place; one without a place is not
/// written.
pub fn check_distinct(outputs: &[(&str, Option<&Path>)]) -> Result<(), Usage> {
    let outputs: Vec<_> = outputs
        .iter()
        .filter_map(|(option, path)| Some((option, (*path)?)))
        .collect();
    for (n, (option, path)) in outputs.iter().enumerate() {
        for (other, other_path) in &outputs[n + 1..] {
            if same_place(path, other_path) {
                return Err(Usage(format!(
                    "{option} and {other} go to the same place, {}: name another file",
                    crate::commands::feed::shown(path)
                )));
            }
        }
    }
    Ok(())
}
