//! The sentences of a Markdown text, without what is not prose.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::syllables;

/// Stands for code within a line: a word that has no syllables to count.
const CODE: char = '\u{fffc}';

/// The counts of one sentence.
pub struct Sentence {
    /// Its first line in the text, from 0.
    pub line: usize,
    /// Its first words, for messages.
    pub start: String,
    /// All words, code and numbers among them.
    pub words: usize,
    /// The words that are spoken, and their syllables.
    pub spoken: usize,
    pub syllables: usize,
    pub is_cell: bool,
}

/// Reads paragraphs, items of lists and cells of tables. Headings, blocks of code, HTML and the texts of pictures are left out; of a
/// link only its text counts, and code within a line is one word.
pub fn of(markdown: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut block = Block::default();
    let mut left_out = 0_usize;
    for (event, at) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if is_left_out(&tag) {
                    left_out += 1;
                }
                if !is_inline(tag.to_end()) {
                    block.end(markdown, &mut sentences);
                    block.is_cell = tag == Tag::TableCell;
                }
            }
            Event::End(tag) => {
                if !is_inline(tag) {
                    block.end(markdown, &mut sentences);
                }
                if matches!(tag, TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Image) {
                    left_out -= 1;
                }
            }
            Event::Text(text) if left_out == 0 => block.add(&text, at.start),
            Event::Code(_) if left_out == 0 => block.add(&CODE.to_string(), at.start),
            Event::SoftBreak | Event::HardBreak => block.add(" ", at.start),
            _ => {}
        }
    }
    sentences
}

fn is_left_out(tag: &Tag) -> bool {
    matches!(
        tag,
        Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::Image { .. }
    )
}

fn is_inline(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image
    )
}

/// A paragraph, an item or a cell while it is read.
#[derive(Default)]
struct Block {
    text: String,
    /// For each piece of `text`: where it begins there, and in the Markdown.
    pieces: Vec<(usize, usize)>,
    is_cell: bool,
}

impl Block {
    fn add(&mut self, text: &str, at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text += text;
    }

    /// Takes its sentences apart: each ends at a word with a final stop, the last one with the block.
    fn end(&mut self, markdown: &str, sentences: &mut Vec<Sentence>) {
        let mut words: Vec<&str> = Vec::new();
        let mut rest = self.text.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            words.push(word);
            let bare = word.trim_end_matches([')', '"', '\'', '”', '*']);
            if (bare.ends_with(['.', '!', '?']) || rest.peek().is_none())
                && let Some(sentence) = self.sentence(&words, markdown)
            {
                sentences.push(sentence);
                words.clear();
            }
        }
        *self = Self::default();
    }

    fn sentence(&self, words: &[&str], markdown: &str) -> Option<Sentence> {
        let is_word = |word: &&&str| word.contains(|c: char| c.is_alphanumeric() || c == CODE);
        let count = words.iter().filter(is_word).count();
        if count == 0 {
            return None;
        }
        let is_spoken = |word: &&&str| !word.contains(CODE) && word.contains(char::is_alphabetic);
        let spoken = words.iter().filter(is_spoken);
        Some(Sentence {
            line: markdown[..self.place(words[0])].matches('\n').count(),
            start: words[..words.len().min(5)].join(" ").replace(CODE, "…"),
            words: count,
            spoken: spoken.clone().count(),
            syllables: spoken.map(|word| syllables::count(word)).sum(),
            is_cell: self.is_cell,
        })
    }

    /// Where a word of the text stands in the Markdown.
    fn place(&self, word: &str) -> usize {
        let at = word.as_ptr().addr() - self.text.as_ptr().addr();
        let piece = self.pieces.partition_point(|(begin, _)| *begin <= at) - 1;
        let (begin, source) = self.pieces[piece];
        source + at - begin
    }
}
