//! How hard the pages are to read: the Flesch-Kincaid grade, and the longest sentence.

mod sentences;
mod syllables;

use std::fmt::Write as _;
use std::path::Path;

use crate::prose::{Kind, Text};

/// A page of this grade is understood by a reader who has been at school for ten years.
const GRADE: f64 = 10.0;
/// The formula was made for samples of 100 words: on a shorter text it says little.
const ENOUGH: usize = 100;
/// Words in one sentence.
const LONGEST: usize = 35;

/// The counts of all texts of one file.
struct Page<'t> {
    path: &'t Path,
    sentences: usize,
    words: usize,
    spoken: usize,
    syllables: usize,
    longest: usize,
    long: Vec<String>,
}

impl Page<'_> {
    /// Kincaid and others 1975, <https://apps.dtic.mil/sti/citations/ADA006655>. The syllables per word are those of the spoken words alone: code
    /// would make a text easier than it is.
    #[allow(clippy::cast_precision_loss)] // a page has fewer than 2^52 words
    fn grade(&self) -> f64 {
        let per_sentence = self.words as f64 / self.sentences.max(1) as f64;
        let per_word = self.syllables as f64 / self.spoken.max(1) as f64;
        0.39 * per_sentence + 11.8 * per_word - 15.59
    }
}

/// Each problem is one line: which sentence is too long, or which page too hard.
pub fn problems(texts: &[Text]) -> Vec<String> {
    let mut problems = Vec::new();
    for page in pages(texts) {
        let (path, grade) = (page.path.display(), page.grade());
        if page.words >= ENOUGH && grade > GRADE {
            problems.push(format!(
                "{path}:1: reads at grade {grade:.1}, {GRADE} is the limit: write shorter sentences and words"
            ));
        }
        problems.extend(page.long);
    }
    problems
}

/// A line for each page, the hardest first.
pub fn table(texts: &[Text]) -> String {
    let mut pages = pages(texts);
    pages.sort_by(|a, b| b.grade().total_cmp(&a.grade()));
    let mut table = String::from("grade  words  longest  over  page\n");
    for page in &pages {
        let _ = writeln!(
            table,
            "{:5.1}  {:5}  {:7}  {:4}  {}",
            page.grade(),
            page.words,
            page.longest,
            page.long.len(),
            page.path.display()
        );
    }
    table
}

fn pages(texts: &[Text]) -> Vec<Page<'_>> {
    let mut pages: Vec<Page> = Vec::new();
    for text in texts.iter().filter(|text| text.kind == Kind::Page) {
        if pages.last().is_none_or(|page| page.path != text.path) {
            pages.push(Page {
                path: &text.path,
                sentences: 0,
                words: 0,
                spoken: 0,
                syllables: 0,
                longest: 0,
                long: Vec::new(),
            });
        }
        if let Some(page) = pages.last_mut() {
            page.add(text);
        }
    }
    pages
}

impl Page<'_> {
    fn add(&mut self, text: &Text) {
        for sentence in sentences::of(&text.content) {
            self.longest = self.longest.max(sentence.words);
            if sentence.words > LONGEST {
                self.long.push(format!(
                    "{}:{}: a sentence of {} words, {LONGEST} are the limit: split \"{} …\"",
                    self.path.display(),
                    text.line + sentence.line,
                    sentence.words,
                    sentence.start
                ));
            }
            // Most cells of tables are not sentences.
            if !sentence.is_cell {
                self.sentences += 1;
                self.words += sentence.words;
                self.spoken += sentence.spoken;
                self.syllables += sentence.syllables;
            }
        }
    }
}
