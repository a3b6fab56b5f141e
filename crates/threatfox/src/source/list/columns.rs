//! Whether a list is a CSV without a header: a comma can stand in a URL, so that its URLs would swallow the columns behind them.

use std::collections::HashMap;

use super::line::Item;

/// What can stand between columns and in a URL.
const DELIMITERS: [char; 2] = [',', ';'];

/// Counts what stands in the lines, as only all of them tell.
#[derive(Debug, Default)]
pub(super) struct Columns {
    lines: u64,
    of: [Delimited; DELIMITERS.len()],
}

/// The lines with a delimiter.
#[derive(Debug, Default)]
struct Delimited {
    /// How many lines have it so many times.
    lines: HashMap<usize, u64>,
    /// The most that a line has whose URL holds it.
    in_url: usize,
}

impl Columns {
    /// Takes a line and what it was read as.
    pub fn add(&mut self, line: &str, items: &[Item<'_>]) {
        self.lines += u64::from(!items.is_empty());
        for (delimiter, of) in DELIMITERS.into_iter().zip(&mut self.of) {
            let times = line.matches(delimiter).count();
            if times == 0 || items.is_empty() {
                continue;
            }
            *of.lines.entry(times).or_default() += 1;
            let in_url = |item: &Item<'_>| item.is_url() && item.text.contains(delimiter);
            if items.iter().any(in_url) {
                of.in_url = of.in_url.max(times);
            }
        }
    }

    /// Whether most lines have as many columns, and a URL holds several of them. One line alone says nothing.
    pub fn is_table(&self) -> bool {
        let most = |lines: u64| lines * 2 > self.lines;
        let swallowed = |of: &Delimited| {
            let mut columns = of.lines.iter().filter(|(_, lines)| most(**lines));
            columns.any(|(times, _)| *times <= of.in_url)
        };
        self.lines > 1 && self.of.iter().any(swallowed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::items_of;
    use super::*;

    fn is_table(text: &str) -> bool {
        let mut columns = Columns::default();
        for line in text.lines() {
            columns.add(line, &items_of(line));
        }
        columns.is_table()
    }

    #[test]
    fn lines_of_as_many_columns_are_a_table_where_a_url_holds_some_of_them() {
        for text in [
            "http://a.example/x,mirai\nhttp://b.example/x,mirai\n",
            "http://a.example/x;1;mirai\nhttp://b.example/x;1;mirai\nhttp://c.example/x;1;mozi\n",
            "a.example,1,mirai\n# b\nb.example,1,mirai\nhttp://c.example/x,1,mozi\n",
            "a.example,1,mirai\nb.example,1,mirai\nhttp://c.example/?a,b,1,mozi\n",
            "note\na.example,1\nb.example,1\nhttp://c.example/x,1\n",
        ] {
            assert!(is_table(text), "{text}");
        }
        for text in [
            "http://a.example/x,mirai\n",
            "http://a.example/x,1\nhttp://b.example/x\nhttp://c.example/x\n",
            "http://a.example/x, C2\nhttp://b.example/x, C2\n",
            "203.0.113.1,203.0.113.2\n203.0.113.3,203.0.113.4\n",
            "a.example,mirai\nb.example,mirai\nhttp://c.example/x\n",
            "",
        ] {
            assert!(!is_table(text), "{text}");
        }
    }
}
