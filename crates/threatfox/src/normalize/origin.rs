//! Where records come from: the source's name and the page of a record, by number. Most records of a source have one page
//! but for their number or hash, so that few texts are kept.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::arena::Names;
use crate::error::Error;
use crate::feed::MAX_TEXT;
use crate::record::{Column, RawRecord, THREATFOX, THREATFOX_PAGE};
use crate::text::clean;

/// What stands between name and page.
const BETWEEN: char = '\n';
/// Where a record comes from.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// The source's name.
    pub source: Box<str>,
    /// The page, with `{id}` and `{hash}` in it. Empty where there is none.
    page: Box<str>,
    /// Whether the page is ThreatFox's, which a feed has by the number alone.
    pub is_threatfox: bool,
}

impl Origin {
    /// That of a record.
    pub fn of_record(raw: &RawRecord<'_>) -> Self {
        let [source, page] = [Column::Source, Column::Link].map(|column| raw.get(column));
        Self::of(&format!("{source}{BETWEEN}{page}"))
    }

    fn of(text: &str) -> Self {
        let (source, page) = text.split_once(BETWEEN).unwrap_or((text, ""));
        // The separator of merged names cannot stand in a name, nor can what CSV must quote.
        let source = clean(source).replace([';', ',', '"'], "_");
        let source = match source.as_str() {
            "" => THREATFOX,
            source => source,
        };
        let page = safe_page(page).unwrap_or_default();
        Self {
            source: source.into(),
            page: page.into(),
            is_threatfox: page == THREATFOX_PAGE || page.is_empty() && source == THREATFOX,
        }
    }

    /// The page of the record with this number and key: `ThreatFox`'s too, which a feed leaves out.
    pub fn page_of(&self, id: Option<u64>, key: &str) -> String {
        let mut link = String::new();
        match id {
            Some(id) if self.is_threatfox => THREATFOX_PAGE.replace("{id}", &id.to_string()),
            _ => {
                self.link_of(id, key, &mut link);
                link
            }
        }
    }

    /// The page of the record with this number and key, as a feed has it.
    pub fn link_of(&self, id: Option<u64>, key: &str, link: &mut String) {
        link.clear();
        if self.page.is_empty() || self.is_threatfox {
            return;
        }
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let digits = key.split_once(':').map_or("", |(_, digits)| digits);
        let page = self.page.replace("{id}", &id).replace("{hash}", digits);
        // The rest of a URL's key may be anything, and the page may ask for it often.
        link.push_str(safe_page(&page).unwrap_or_default());
    }
}

/// An address that a browser opens and that ends no link's text: hits show it as a link.
fn safe_page(page: &str) -> Option<&str> {
    let safe =
        |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '"' | '`' | '\\');
    let web = page.starts_with("https://") || page.starts_with("http://");
    (web && page.len() <= MAX_TEXT && page.chars().all(safe)).then_some(page)
}

/// All origins of the records in a store.
#[derive(Debug, Default)]
pub(super) struct Origins {
    names: Names,
    text: String,
    /// Records of one source come in runs.
    last: Option<(String, String, u32)>,
    /// By number, once no more are added.
    split: Vec<Origin>,
}

impl Origins {
    /// The number of a source's name with a page.
    pub fn number(&mut self, source: &str, page: &str) -> Result<u32, Error> {
        if let Some((last_source, last_page, number)) = &self.last
            && last_source == source
            && last_page == page
        {
            return Ok(*number);
        }
        self.text.clear();
        self.text.push_str(source);
        self.text.push(BETWEEN);
        self.text.push_str(page);
        let number = self.names.number(&self.text)?;
        self.last = Some((source.to_owned(), page.to_owned(), number));
        Ok(number)
    }

    /// Reads the texts. Only when no more are added.
    pub fn split(&mut self) {
        self.split = self.names.texts().map(Origin::of).collect();
        self.names = Names::default();
    }

    /// The origin with this number.
    pub fn get(&self, number: u32) -> &Origin {
        &self.split[number as usize]
    }

    /// Orders by the texts, whatever the order in which they came.
    pub fn compare(&self, a: u32, b: u32) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        self.get(a).cmp(self.get(b))
    }

    /// The names of all sources with `;` between, where there are several origins.
    pub fn merged(&self, mut numbers: impl Iterator<Item = u32>) -> Option<String> {
        let first = numbers.next()?;
        let others: BTreeSet<u32> = numbers.filter(|number| *number != first).collect();
        if others.is_empty() {
            return None;
        }
        let all = others.into_iter().chain([first]);
        let names: BTreeSet<&str> = all.map(|number| &*self.get(number).source).collect();
        Some(names.into_iter().collect::<Vec<_>>().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(source: &str, page: &str, id: Option<u64>, key: &str) -> (String, String) {
        let origin = Origin::of(&format!("{source}\n{page}"));
        let mut link = String::new();
        origin.link_of(id, key, &mut link);
        (origin.source.to_string(), link)
    }

    #[test]
    fn a_page_has_the_number_or_the_hash_of_its_record() {
        let page = "https://a.example/{id}/";
        assert_eq!(link("a", page, Some(7), "x").1, "https://a.example/7/");
        let page = "https://a.example/{hash}";
        assert_eq!(link("a", page, None, "md5:0f").1, "https://a.example/0f");
    }

    #[test]
    fn threatfox_has_no_page_of_its_own() {
        assert_eq!(link("threatfox", "", Some(7), "x").1, "");
        assert_eq!(link("mine", THREATFOX_PAGE, Some(7), "x").1, "");
    }

    #[test]
    fn a_page_that_would_end_a_link_or_run_a_script_is_left_out() {
        for page in [
            "javascript:alert(1)",
            "https://a.example/)[x](https://b.example",
            "https://a.example/ b",
            "https://a.example/\"x",
        ] {
            assert_eq!(link("a", page, None, "x").1, "", "{page}");
        }
    }

    #[test]
    fn a_name_has_nothing_that_separates_names() {
        assert_eq!(link("a;b,c\"", "", None, "x").0, "a_b_c_");
    }
}
