//! The reader `hashes`.

use super::{Buffers, Key, Observer, trim};
use crate::rules::Algorithm;

impl Buffers {
    pub(super) fn hashes(&mut self, text: &str, observer: &mut dyn Observer) {
        for item in text.split(',').map(trim) {
            let Some((algorithm, digits)) = hash(item) else {
                continue;
            };
            let key = &mut self.key;
            key.clear();
            key.push_str(algorithm.name());
            key.push(':');
            key.push_str(digits);
            key.make_ascii_lowercase();
            observer.key(&Key {
                text: key,
                observable: &key[algorithm.name().len() + 1..],
                port: None,
                above: false,
            });
            observer.end();
        }
    }
}

/// `NAME=HEX`, `NAME:HEX` or digits alone, whose number tells the algorithm.
fn hash(item: &str) -> Option<(Algorithm, &str)> {
    let (algorithm, digits) = if let Some((name, digits)) = item.split_once(['=', ':']) {
        (Algorithm::from_name(name), digits)
    } else {
        let known = |algorithm: &Algorithm| algorithm.digits() == item.len();
        (Algorithm::ALL.into_iter().find(known), item)
    };
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    algorithm
        .filter(|algorithm| all_hex && algorithm.digits() == digits.len())
        .map(|algorithm| (algorithm, digits))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::rules::Reader;

    #[test]
    fn hashes_are_read_by_their_name_or_their_length() {
        let md5 = "45C4710EDC62DF311612101B9160C7E1";
        let sha1 = "b".repeat(40);
        let text = format!("SHA1={sha1}, MD5={md5},IMPHASH={md5} , md5:{md5},{sha1},{md5}");
        let (md5, sha1) = (
            format!("md5:{}", md5.to_lowercase()),
            format!("sha1:{sha1}"),
        );
        let expected: Vec<_> = [&sha1, &md5, &md5, &sha1, &md5]
            .map(|key| vec![key.clone()])
            .into();
        assert_eq!(read(&Reader::Hashes, &text), expected);
        for text in [
            "",
            "-",
            "Unknown",
            "MD5=",
            "SHA256=xyz",
            "MD5=45c4",
            "=",
            ",",
        ] {
            assert!(read(&Reader::Hashes, text).is_empty(), "{text}");
        }
    }
}
