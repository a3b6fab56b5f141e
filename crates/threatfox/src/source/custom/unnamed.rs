//! Whether a text is a CSV whose columns nobody has named. Read as a list it would give what stands in its first column, which
//! may be the victims.

use super::super::list::items_of;
use super::super::table::{DELIMITERS, names_in};

/// By the start of it. The last line may be cut.
pub(super) fn is_table(start: &str) -> bool {
    // ThreatFox's own is read by its names.
    let threatfox = start.starts_with(['#', '"']) && start.contains("ioc_");
    if threatfox || start.starts_with(['{', '[', '<']) {
        return false;
    }
    let mut lines: Vec<&str> = start
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.len() > 2 {
        lines.pop();
    }
    let first = lines.iter().position(|line| !line.starts_with('#'));
    let Some(first) = first else {
        return false;
    };
    let (comments, data) = lines.split_at(first);
    DELIMITERS.into_iter().any(|delimiter| {
        let named = data
            .split_first()
            .is_some_and(|(header, rows)| is_header(header, rows, delimiter));
        // A sentence in a comment has commas too, but blanks behind them.
        let words = |line: &str| !line.contains(char::is_whitespace) || delimiter == b'\t';
        let commented = comments.last().is_some_and(|comment| {
            let header = comment.trim_start_matches('#').trim();
            words(header) && is_header(header, data, delimiter)
        });
        named || commented
    })
}

/// Several names, none of which is an indicator, above rows with as many fields.
fn is_header(header: &str, rows: &[&str], delimiter: u8) -> bool {
    let names = names_in(header, delimiter);
    let filled = names.iter().filter(|name| !name.is_empty()).count();
    let indicator = |name: &String| items_of(name).iter().any(|item| item.value.is_ok());
    filled > 1 && !names.iter().any(indicator) && {
        let same = rows
            .iter()
            .filter(|row| names_in(row, delimiter).len() == names.len());
        same.count() * 2 > rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::is_table;

    #[test]
    fn a_header_of_several_names_above_rows_is_a_table() {
        for text in [
            "victim_ip,c2\n203.0.113.1,203.0.113.6\n203.0.113.2,203.0.113.6\n",
            "url,family\nhttp://a.example/x,mirai\n",
            "url;family\r\nhttp://a.example/x;mirai\r\nhttp://b.example/x;mirai\r\n",
            "domain\tseen\na.example\t2026-01-02\nb.example\t2026-01-02\ncut",
            "ip|port\n203.0.113.1|443\n203.0.113.2|443\n",
            "\"ip\",\"note\"\n\"203.0.113.1\",\"a, b\"\n",
            "ioc_value,note\n203.0.113.1,x\n203.0.113.2,y\n",
            ",ip,family\n0,203.0.113.1,x\n1,203.0.113.2,y\n",
            "# made by hand\n#ip,family\n203.0.113.1,x\n203.0.113.2,y\n",
        ] {
            assert!(is_table(text), "{text}");
        }
    }

    #[test]
    fn a_list_is_none() {
        for text in [
            "203.0.113.1, 203.0.113.2\n203.0.113.3, 203.0.113.4\n",
            "# Bad addresses, found by us\n203.0.113.1, 203.0.113.2\n203.0.113.3, 203.0.113.4\n",
            "indicator\n203.0.113.1\n203.0.113.2\n",
            "Dear all, see below\n203.0.113.1\n203.0.113.2\n",
            "203.0.113.1, C2\n203.0.113.2, C2\n203.0.113.3, C2\n203.0.113.4, C2\n",
            "http://a.example/x, C2\nhttp://b.example/x, C2\nhttp://c.example/x, C2\ncut",
            "http://a.example/x,1\nhttp://b.example/x\nhttp://c.example/x\ncut",
            "# ThreatFox\n# \"ioc_id\",\"ioc_value\"\n\"1\",\"a.example\"\n",
            "# ThreatFox\n#ioc_id,ioc_value,tags\n1,a.example,\n2,b.example,\n",
            "0.0.0.0 a.example\n0.0.0.0 b.example\n",
            "",
            "# x",
        ] {
            assert!(!is_table(text), "{text}");
        }
    }
}
