//! What is said of an error: once what each text in its chain of causes adds.

/// The error and its causes in one line. A cause that the text before it quotes is not said again: the library's errors
/// are whole by themselves, those of other crates are not.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use threatfox::Error;

    use super::message;

    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow::Error::from(Error::Io {
            action: "write",
            path: "feed.csv".into(),
            source: io::Error::other("no room"),
        });
        assert_eq!(message(&error), "cannot write feed.csv: no room");
        let error = anyhow::Error::from(io::Error::other("no room")).context("cannot write");
        assert_eq!(message(&error), "cannot write: no room");
    }
}
