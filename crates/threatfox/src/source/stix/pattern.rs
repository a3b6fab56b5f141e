//! The grammar of patterns (STIX 2.1, section 9): what a pattern asks for, as a tree. Its meaning is read elsewhere.

use super::tokens::{Token, tokens};

/// A pattern may have this many bytes.
pub(super) const MAX_PATTERN: usize = 64 * 1024;
/// Parentheses may stand so deep in each other: people write two or three.
const MAX_DEPTH: usize = 64;

/// The condition on one observation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// A property of an object is one of these values.
    Equal { path: Path, values: Vec<String> },
    /// Anything else that can be asked of a property; the operator.
    Other { path: Path, operator: String },
    /// All of these.
    All(Vec<Condition>),
    /// Any of these.
    Any(Vec<Condition>),
}

/// A property of an object: `file:hashes.'SHA-256'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// `file`.
    pub object: String,
    /// `hashes`, `SHA-256`. An index (`[*]`) is left out.
    pub steps: Vec<String>,
}

/// The content of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One observation that meets any of these.
    Observations(Vec<Condition>),
    /// Something about several observations, or about when they come: why.
    Several(&'static str),
}

/// Why a text is not a pattern, with the byte where it shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAPattern(pub String);

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Pattern, NotAPattern> {
    if text.len() > MAX_PATTERN {
        return Err(NotAPattern(
            "the pattern is larger than the bound of 64 KiB".to_owned(),
        ));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
        several: None,
    };
    let observations = parser.observations()?;
    if parser.at < tokens.len() {
        return Err(parser.unexpected("the end"));
    }
    Ok(match parser.several {
        Some(why) => Pattern::Several(why),
        None => Pattern::Observations(observations),
    })
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// Why the pattern is about more than one observation.
    several: Option<&'static str>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), NotAPattern> {
        if self.skip_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("{sign:?}")))
        }
    }

    fn unexpected(&self, wanted: &str) -> NotAPattern {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Sign(sign)) => format!("{sign:?}"),
            Some(Token::Word(word)) => format!("{:?}", short(word)),
            Some(Token::Text(text)) => format!("'{}'", short(text)),
        };
        NotAPattern(format!("{found} where {wanted} should be"))
    }

    /// Counts a parenthesis, so that no pattern is deeper than the stack.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, NotAPattern>,
    ) -> Result<T, NotAPattern> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let problem = format!("parentheses more than {MAX_DEPTH} deep");
            return Err(NotAPattern(problem));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `observation (AND|OR|FOLLOWEDBY observation)*`, whose order of precedence makes no difference here: with any AND or
    /// FOLLOWEDBY the pattern is about several observations.
    fn observations(&mut self) -> Result<Vec<Condition>, NotAPattern> {
        let mut all = self.observation()?;
        loop {
            if self.skip_word("OR") {
                all.append(&mut self.observation()?);
            } else if self.skip_word("AND") {
                self.several = Some("it asks for several observations (AND)");
                self.observation()?;
            } else if self.skip_word("FOLLOWEDBY") {
                self.several = Some("it asks for several observations (FOLLOWEDBY)");
                self.observation()?;
            } else {
                return Ok(all);
            }
        }
    }

    /// `[ condition ]` or `( observations )`, and its qualifiers.
    fn observation(&mut self) -> Result<Vec<Condition>, NotAPattern> {
        let observation = if self.skip_sign("(") {
            let all = self.deeper(Self::observations)?;
            self.expect_sign(")")?;
            all
        } else {
            self.expect_sign("[")?;
            let condition = self.any()?;
            self.expect_sign("]")?;
            vec![condition]
        };
        loop {
            if self.skip_word("WITHIN") || self.skip_word("REPEATS") {
                self.several = Some("it asks for several observations (WITHIN, REPEATS)");
                self.at += 2;
            } else if self.skip_word("START") {
                self.several = Some("it asks for observations at some time (START)");
                // START t'…' STOP t'…'
                self.at += 3;
            } else {
                self.at = self.at.min(self.tokens.len());
                return Ok(observation);
            }
        }
    }

    fn any(&mut self) -> Result<Condition, NotAPattern> {
        let mut any = vec![self.all()?];
        while self.skip_word("OR") {
            any.push(self.all()?);
        }
        Ok(one_or(any, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, NotAPattern> {
        let mut all = vec![self.condition()?];
        while self.skip_word("AND") {
            all.push(self.condition()?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn condition(&mut self) -> Result<Condition, NotAPattern> {
        if self.skip_sign("(") {
            let inner = self.deeper(Self::any)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        if self.skip_word("EXISTS") {
            let path = self.path()?;
            return Ok(other(path, "EXISTS"));
        }
        let path = self.path()?;
        let negated = self.skip_word("NOT");
        let (operator, values) = self.comparison()?;
        // A subset of a network is an address in it, as the network itself says as a value.
        let subset = operator == "ISSUBSET" && matches!(&*path.object, "ipv4-addr" | "ipv6-addr");
        if negated {
            return Ok(other(path, &format!("NOT {operator}")));
        }
        if subset || matches!(&*operator, "=" | "==" | "IN") {
            return Ok(Condition::Equal { path, values });
        }
        Ok(other(path, &operator))
    }

    fn path(&mut self) -> Result<Path, NotAPattern> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.unexpected("a property such as ipv4-addr:value"));
        };
        let Some((object, steps)) = word.split_once(':') else {
            return Err(self.unexpected("a property such as ipv4-addr:value"));
        };
        let path = Path {
            object: object.to_owned(),
            steps: steps_of(steps),
        };
        self.at += 1;
        Ok(path)
    }

    /// The operator and the values behind it.
    fn comparison(&mut self) -> Result<(String, Vec<String>), NotAPattern> {
        let operator = match self.peek() {
            Some(Token::Sign(sign)) if !matches!(*sign, "[" | "]" | "(" | ")" | ",") => {
                (*sign).to_owned()
            }
            Some(Token::Word(word)) => {
                let word = word.to_ascii_uppercase();
                if !["IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"].contains(&&*word) {
                    return Err(self.unexpected("an operator"));
                }
                word
            }
            _ => return Err(self.unexpected("an operator")),
        };
        self.at += 1;
        if operator != "IN" {
            return Ok((operator, vec![self.value()?]));
        }
        self.expect_sign("(")?;
        let mut values = vec![self.value()?];
        while self.skip_sign(",") {
            values.push(self.value()?);
        }
        self.expect_sign(")")?;
        Ok((operator, values))
    }

    fn value(&mut self) -> Result<String, NotAPattern> {
        let value = match self.peek() {
            Some(Token::Text(text) | Token::Word(text)) => text.clone(),
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(value)
    }
}

fn other(path: Path, operator: &str) -> Condition {
    Condition::Other {
        path,
        operator: operator.to_owned(),
    }
}

fn one_or(mut all: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match all.pop() {
        Some(one) if all.is_empty() => one,
        Some(last) => {
            all.push(last);
            join(all)
        }
        None => join(all),
    }
}

/// `hashes.'SHA-256'` as its steps, without quotes and indexes.
fn steps_of(text: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let (mut in_quotes, mut in_index) = (false, false);
    for c in text.chars() {
        match c {
            '\'' => in_quotes = !in_quotes,
            '[' if !in_quotes => in_index = true,
            ']' if in_index => in_index = false,
            '.' if !in_quotes && !in_index => steps.push(String::new()),
            c if !in_index => {
                if let Some(step) = steps.last_mut() {
                    step.push(c);
                }
            }
            _ => {}
        }
    }
    steps
}

fn short(text: &str) -> String {
    crate::text::clean(text).chars().take(40).collect()
}
