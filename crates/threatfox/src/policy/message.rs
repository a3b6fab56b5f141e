//! What is wrong with a policy, in the words of who writes one. The reader of YAML speaks to programmers.

use serde_yaml::Error;

/// The problem, with line and column.
pub(super) fn message(error: &Error) -> String {
    let text = match error {
        Error::MultipleDocuments { .. } => {
            "a second document begins here, and a policy is one: remove the line ---".to_owned()
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a name");
            format!("{key} stands here a second time: put its entries where it stands first")
        }
        Error::Unexpected { expected, .. } if expected.starts_with("sequence") => {
            "a list belongs here, such as [one, another]".to_owned()
        }
        Error::Unexpected { expected, .. } if expected.starts_with("mapping") => {
            "names of sections belong here, each with a colon".to_owned()
        }
        Error::Unexpected { .. } | Error::UnexpectedSequenceEnd { .. } => {
            "one text or number belongs here, not a list or a section".to_owned()
        }
        Error::NullIntoString { .. } => "this entry is empty: remove it".to_owned(),
        Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            "a text belongs here: remove what begins with !!, or put quotes around all of it"
                .to_owned()
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } | Error::MergeKeyNotAllowed { .. } => {
            "<< takes names of sections, each with a colon: remove it".to_owned()
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "this * refers to what it stands in: remove it".to_owned()
        }
        Error::InvalidScalar { .. } => "this is not a number such as 75".to_owned(),
        Error::UnknownAnchor { .. } => {
            "this * refers to nothing: put quotes around a text that begins with *".to_owned()
        }
        other => return other.to_string(),
    };
    let place = error.location();
    let place = place.map(|at| format!(" at line {}, column {}", at.line(), at.column()));
    text + &place.unwrap_or_default()
}
