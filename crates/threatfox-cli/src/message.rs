//! The message of an error, in one line: the cause, the place, and the cure. Velociraptor shows the first line alone.

use crate::advice::advice;

/// The error, its causes and the cure in one line. A cause that the text before it quotes is not said again: the library's
/// errors are whole by themselves, those of other crates are not.
pub fn message(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !parts.iter().any(|part| part.contains(&cause)) {
            parts.push(cause);
        }
    }
    parts.extend(advice(error));
    one_line(&parts.join(": "))
}

/// The text with blanks for what would end its line.
fn one_line(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
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

    #[test]
    fn the_cause_comes_first_and_the_cure_last_in_one_line() {
        let error = anyhow::Error::from(Error::Unreadable {
            name: "full.csv.zip".into(),
            source: io::Error::other("two\nlines"),
        });
        assert_eq!(
            message(&error),
            "two lines: full.csv.zip cannot be read to its end: download it again"
        );
    }
}
