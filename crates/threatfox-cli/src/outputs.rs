//! Two results never go to one place: one of them would be lost, or both be mixed. Nor does one go over a file of another
//! kind.

use std::path::Path;

use threatfox::Error;
use threatfox::output::{Like, check_like, check_not_read, same_place};

use crate::commands::Usage;

/// The place of what is written to standard output without an option that names it.
pub const STDOUT: &str = "-";

/// Checks that each output that is written takes the place of its like or of nothing, and of no file that the run reads.
pub fn check_replaced(outputs: &[(Option<&Path>, Like)], inputs: &[&Path]) -> Result<(), Error> {
    for (path, like) in outputs {
        if let Some(path) = path {
            check_not_read(path, inputs.iter().copied())?;
            check_like(path, *like)?;
        }
    }
    Ok(())
}

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
