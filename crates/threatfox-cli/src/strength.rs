//! The option `--min-strength`.

use clap::ValueEnum;
use threatfox::rules::Strength;

/// The least strength of a match, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinStrength {
    Weak,
    Medium,
    Strong,
}

impl From<MinStrength> for Strength {
    fn from(typed: MinStrength) -> Self {
        match typed {
            MinStrength::Weak => Self::Weak,
            MinStrength::Medium => Self::Medium,
            MinStrength::Strong => Self::Strong,
        }
    }
}
