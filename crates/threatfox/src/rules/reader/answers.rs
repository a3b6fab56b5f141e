//! The reader `answers`.

use super::{Buffers, Observer, is_space, trim};

impl Buffers {
    pub(super) fn answers(&mut self, text: &str, observer: &mut dyn Observer) {
        for item in text.split(';').map(trim) {
            let typed = item
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case("type:"));
            if !typed {
                self.address_item(item, observer);
            } else if let Some(name) = cname(&item[5..]) {
                self.host(name, observer);
            }
        }
    }
}

/// The name behind the 5 of a CNAME.
fn cname(typed: &str) -> Option<&str> {
    let name = trim(typed).strip_prefix('5')?;
    name.starts_with(is_space).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::rules::Reader;

    #[test]
    fn answers_are_addresses_and_cnames() {
        for (text, expected) in [
            (
                "type:  5 A.evil.example.;::ffff:203.0.113.7;2001:DB8:0::7;",
                &[
                    &["a.evil.example", "^evil.example", "^example"][..],
                    &["203.0.113.7"],
                    &["2001:db8::7"],
                ][..],
            ),
            (
                "203.0.113.7; 203.0.113.8 ;",
                &[&["203.0.113.7"], &["203.0.113.8"]],
            ),
            ("Type:5 a.example", &[&["a.example", "^example"]]),
            ("type: 5 203.0.113.7", &[&["203.0.113.7"]]),
            (
                "type:  16 a.example;type: 55 a.example;type:  6 ;type: 5;a.example;-;",
                &[],
            ),
        ] {
            assert_eq!(read(&Reader::Answers, text), expected, "{text}");
        }
    }
}
