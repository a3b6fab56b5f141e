//! Tests of the records of an export.

use proptest::prelude::*;

use super::fields::MAX_FIELDS;
use super::*;

/// Hands out one byte at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(1);
        self.0.read(&mut buf[..n])
    }
}

fn records(input: impl Read) -> Vec<(u64, Vec<String>)> {
    let mut all = Vec::new();
    for batch in Records::new(input, 1) {
        for record in batch.unwrap().records() {
            let texts = record.texts().unwrap().map(|text| text.trim().to_owned());
            all.push((record.line(), texts.collect()));
        }
    }
    all
}

fn fields(text: &str) -> Vec<String> {
    let mut all = records(text.as_bytes());
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).1
}

#[test]
fn blanks_between_fields_do_not_reach_them() {
    assert_eq!(
        fields("\"a\", \"b\",\"c\" ,   \"d\", 5, \"\",, \"e\" \r\n"),
        ["a", "b", "c", "d", "5", "", "", "e"]
    );
}

#[test]
fn commas_quotes_and_newlines_in_a_field_stay_as_they_are() {
    assert_eq!(
        fields("\"a, b\", \"x\"\", \"\"y\", \"l\n, m\", \"\"\"\""),
        ["a, b", "x\", \"y", "l\n, m", "\""]
    );
}

#[test]
fn a_quote_that_ends_no_field_is_text() {
    assert_eq!(
        fields("\"the \"best\" one\", \"b\""),
        ["the \"best\" one", "b"]
    );
}

#[test]
fn a_record_knows_its_line_and_blank_lines_are_none() {
    let text = "\"1\", \"a\n\nb\"\r\n\r\n  \n\"4\"\n# Number of entries: 2";
    let lines: Vec<_> = records(text.as_bytes())
        .into_iter()
        .map(|(line, fields)| (line, fields.len()))
        .collect();
    assert_eq!(lines, [(1, 2), (6, 1), (7, 1)]);
}

#[test]
fn an_unclosed_quote_does_not_fill_the_memory() {
    let limit = 4 * MAX_RECORD as u64;
    let mut endless = Read::chain(&b"\"a\", \""[..], io::repeat(b'x')).take(limit);
    let first = Records::new(&mut endless, 1).next();
    let stop = first.unwrap().map(|_| ()).unwrap_err();
    let error = stop.of("x").to_string();
    assert!(
        error.contains("line 1 is larger than the bound of 1 MiB"),
        "{error}"
    );
    assert!(endless.limit() >= limit / 2);
}

/// The line of the quotation mark that is never closed, if there is one.
fn open_quote(text: &str) -> Option<u64> {
    [
        Box::new(text.as_bytes()) as Box<dyn Read>,
        Box::new(Drip(text.as_bytes())),
    ]
    .map(|input| {
        Records::new(input, 1).find_map(|batch| match batch.err()? {
            Stop::OpenQuote { line } => Some(line),
            stop => panic!("{stop:?}"),
        })
    })
    .into_iter()
    .reduce(|whole, dripped| {
        assert_eq!(whole, dripped);
        whole
    })
    .flatten()
}

#[test]
fn a_quote_that_is_never_closed_is_damage_of_the_line_where_it_opens() {
    let rows = "3,c\n".repeat(100);
    assert_eq!(open_quote(&format!("1,a\n2,\"Foo\n{rows}")), Some(2));
    assert_eq!(open_quote(&format!("1,a\n2,\"Foo\n{rows}\"")), None);
    assert_eq!(open_quote("\"1\",\"a"), Some(1));
    // A later field in quotes closes nothing.
    assert_eq!(
        open_quote(&format!("\"x\ny\",\"Foo\n{rows}4,\"d, e\"\n")),
        Some(2)
    );
    assert_eq!(
        open_quote(&format!("1,\"Foo\n{rows}\"4\",\"d\"\n")),
        Some(1)
    );
    assert_eq!(
        open_quote("1,\"the \"best\" one\nof, \"\"all\"\"\"\n"),
        None
    );
}

#[test]
fn fields_stand_between_any_delimiter() {
    let text = "a;\"b;c\";d,e\n";
    let batch = Records::new(text.as_bytes(), 1).separated_by(b';').next();
    let batch = batch.unwrap().unwrap();
    let texts: Vec<_> = batch.records().flat_map(|r| r.texts().unwrap()).collect();
    assert_eq!(texts, ["a", "b;c", "d,e"]);
}

#[test]
fn records_across_blocks_are_whole() {
    let count = 3 * BLOCK / 20;
    let lines: Vec<_> = (0..count)
        .map(|n| format!("\"{n}\", \"{}\"", n * 7))
        .collect();
    let text = lines.join("\n");
    for (n, (line, fields)) in records(text.as_bytes()).into_iter().enumerate() {
        assert_eq!(
            (line, fields),
            (n as u64 + 1, vec![n.to_string(), (n * 7).to_string()])
        );
    }
}

#[test]
fn many_fields_are_counted_and_not_kept_and_many_records_are_all_read() {
    let long = "x,".repeat(1_000) + "x\n";
    let text = long.clone() + &",\n".repeat(100_000) + &long;
    let (mut seen, mut counts) = (0, Vec::new());
    for batch in Records::new(text.as_bytes(), 1) {
        let batch = batch.unwrap();
        assert!(batch.fields.len() <= FULL + MAX_FIELDS);
        for record in batch.records() {
            seen += 1;
            assert_eq!(record.line(), seen);
            if record.len() != 2 {
                counts.push((record.len(), record.fields().count()));
            }
        }
    }
    assert_eq!((seen, counts), (100_002, vec![(1_001, 64); 2]));
}

proptest! {
    #[test]
    fn the_csv_crate_reads_the_same(
        rows in prop::collection::vec(prop::collection::vec("[a,\" \r\n\u{fc}#]{0,6}", 2..5), 1..6),
    ) {
        let mut csv = csv::WriterBuilder::new()
            .flexible(true)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for row in &rows {
            csv.write_record(row).unwrap();
        }
        let text = csv.into_inner().unwrap();
        let expected: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|f| f.trim().to_owned()).collect()).collect();
        for read in [records(&text[..]), records(Drip(&text))] {
            prop_assert_eq!(&read.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>(), &expected);
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(prop::sample::select(b"a\", \r\n\xff".to_vec()), 0..200)) {
        let mut seen = 0;
        for batch in Records::new(&bytes[..], 1) {
            let Ok(batch) = batch else {
                break;
            };
            seen += batch.records().flat_map(|r| r.fields()).map(<[u8]>::len).sum::<usize>();
        }
        prop_assert!(seen <= bytes.len());
    }
}
