//! The words, texts and signs of a pattern.

use std::iter::Peekable;
use std::str::Chars;

use super::pattern::NotAPattern;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word or a number: `AND`, `ipv4-addr:value`, `443`.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// `[ ] ( ) ,` and the operators `= != < > <= >= <>`.
    Sign(&'static str),
}

const SIGNS: [&str; 13] = [
    "!=", "<>", "<=", ">=", "==", "=", "<", ">", "[", "]", "(", ")", ",",
];

/// Splits a pattern.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, NotAPattern> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (value, after) = quoted(&rest[1..])?;
            tokens.push(Token::Text(value));
            rest = after;
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let (word, after) = word(rest)?;
            tokens.push(Token::Word(word));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// The text up to the closing quote; `\'` and `\\` stand for the quote and the backslash.
fn quoted(text: &str) -> Result<(String, &str), NotAPattern> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('\'' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(NotAPattern("a quote is not closed".to_owned()))
}

/// A word up to a blank or sign. Quotes and indexes belong to a path: `file:hashes.'SHA-256'`, `x[*].y`.
fn word(text: &str) -> Result<(String, &str), NotAPattern> {
    let mut chars = text.chars().peekable();
    let mut len = 0;
    let mut is_path = false;
    while let Some(c) = chars.peek().copied() {
        is_path |= c == ':';
        match c {
            '\'' if len > 0 => len += skip_quoted(&mut chars)?,
            '[' if is_path => len += skip_index(&mut chars),
            c if c.is_whitespace() || "[](),=<>!'".contains(c) => break,
            c => {
                chars.next();
                len += c.len_utf8();
            }
        }
    }
    if len == 0 {
        let sign: String = text.chars().take(1).collect();
        return Err(NotAPattern(format!("unexpected {sign:?}")));
    }
    Ok((text[..len].to_owned(), &text[len..]))
}

fn skip_quoted(chars: &mut Peekable<Chars<'_>>) -> Result<usize, NotAPattern> {
    let mut len = chars.next().map_or(0, char::len_utf8);
    for c in chars.by_ref() {
        len += c.len_utf8();
        if c == '\'' {
            return Ok(len);
        }
    }
    Err(NotAPattern("a quote is not closed".to_owned()))
}

fn skip_index(chars: &mut Peekable<Chars<'_>>) -> usize {
    let mut len = 0;
    for c in chars.by_ref() {
        len += c.len_utf8();
        if c == ']' {
            break;
        }
    }
    len
}
