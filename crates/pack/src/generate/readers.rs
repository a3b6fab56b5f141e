//! The VQL of one row of `places.csv`, reader by reader.
//!
//! A row gives two pieces of VQL. For `…,22,QueryName,host,query,,` they are
//!
//! ```text
//! may hold   (E.QueryName != '-' AND cache(name=Feed.Hosts, key=E.QueryName).Keys)
//! read       ReadHost(Feed=Feed, Role='query', Text=if(condition=typeof(a=E.QueryName) =~ '^[[]', then='',
//! else=E.QueryName))
//! ```
//!
//! `may hold` is cheap and is asked of every event: it must be true of each that has an indicator in this field, and may be
//! true of others. `read` gives the observables; Generic.ThreatFox.Match defines `ReadHost` and the other readers.
//! `E` is the event's fields, `Feed` the feed with its caches.

use threatfox::rules::{Condition, Place, Reader, Role, Rules, Test};

use super::vql_text::{column, literal, string};

/// A reader in VQL. `{text}` is the field, `{plain}` the same but empty where it is a list, `{role}` and `{port}` are the
/// row's, `{mark}` is the name behind `zone`,
/// `{conditions}` are the row's conditions, the last one first, each with AND before it.
struct Template {
    /// One of these has to be true.
    may_hold: &'static [&'static str],
    read: &'static str,
}

/// IPv4 stands in the feed as in the event. IPv6 has many spellings, so that each has to be read.
const ADDRESS: Template = Template {
    may_hold: &[
        r"{text} IN Feed.Keys OR ({text} =~ '[:\t-\r ]' AND cache(name=Feed.Answers, key={text}).Keys)",
    ],
    read: "ReadAddress(Feed=Feed, Role={role}, Text={plain}, Port={port})",
};

/// Its conditions are asked for at once: they leave few events.
const FIRST_BYTES: Template = Template {
    may_hold: &["({text} =~ ':'{conditions})"],
    read: "ReadFirstBytes(Feed=Feed, Role={role}, Text={plain})",
};

const HOST: Template = Template {
    may_hold: &["({text} != '-' AND cache(name=Feed.Hosts, key={text}).Keys)"],
    read: "ReadHost(Feed=Feed, Role={role}, Text={plain})",
};

/// An IPv4 address stands in the feed as here; the rest is read.
const ANSWERS: Template = Template {
    may_hold: &[
        "filter(condition=Feed.Reading.AnswerInFeed,
  list=split(sep_string=';', string=regex_transform(key='ThreatFox answers', map=Feed.Spelling.Answers, source=';' + lowcase(string={text}))))",
    ],
    read: "ReadAnswers(Feed=Feed, Role={role}, Text={plain})",
};

const HASHES: Template = Template {
    may_hold: &[
        "filter(condition=Feed.Reading.InFeed,
  list=split(sep_string=',', string=regex_transform(key='ThreatFox hashes', map=Feed.Spelling.Hashes, source=',' + lowcase(string={text}))))",
    ],
    read: "ReadHashes(Feed=Feed, Role={role}, Text={plain})",
};

const URL: Template = Template {
    may_hold: &["{text} =~ '://'"],
    read: "ReadURL(Feed=Feed, Role={role}, Text={plain})",
};

const ZONE: Template = Template {
    may_hold: &["{text} =~ '{mark}='"],
    read: r"ReadURL(Feed=Feed, Role={role}, Text=parse_string_with_regex(string=str(str={plain}), regex='(?s)^(?:.*?[\t-\r ])?{mark}=(?P<URL>[^\t-\r ]*)').URL || '')",
};

/// URLs, then words. Only what has a dot or a colon can be one, and neither programs (`cmd.exe`) nor drives (`C:\`) are names.
const TEXT: Template = Template {
    may_hold: &[
        "{text} =~ '://'",
        r"({text} =~ '[.](?:[^e]|e[^x]|ex[^e]|exe[0-9a-z._-])|:(?:[^\\\\]|$)'
  AND filter(condition=Feed.Reading.WordInFeed,
    list=filter(regex='[.:].*\t', list=split(sep_string='\n', string=regex_transform(key='ThreatFox words', map=Feed.Spelling.Words, source={text})))))",
    ],
    read: "ReadText(Feed=Feed, Role={role}, Text={plain})",
};

const URLS: Template = Template {
    may_hold: &["{text} =~ '://'"],
    read: "URLsIn(Feed=Feed, Role={role}, Parts=split(string={plain}, sep_string='://'))",
};

/// As running text. A part of a script block in several parts is always read: an indicator may begin in the part before.
const SCRIPT: Template = Template {
    may_hold: &["int(int=E.MessageTotal) > 1", TEXT.may_hold[0], TEXT.may_hold[1]],
    read: "ReadText(Feed=Feed, Role={role}, Text=if(condition=int(int=E.MessageTotal) > 1, else={plain},
  then=eval(func=Rules.JoinedPart, args=(E, {plain}, Feed, format(format='%v %v', args=(get(field='System').Computer, E.ScriptBlockId))))))",
};

fn template(reader: &Reader) -> &'static Template {
    match reader {
        Reader::Address => &ADDRESS,
        Reader::FirstBytes => &FIRST_BYTES,
        Reader::Host => &HOST,
        Reader::Answers => &ANSWERS,
        Reader::Hashes => &HASHES,
        Reader::Url => &URL,
        Reader::Zone(_) => &ZONE,
        Reader::Urls => &URLS,
        Reader::Text => &TEXT,
        Reader::Script => &SCRIPT,
    }
}

/// The expressions of which one is true if the row's field may hold an indicator.
pub fn may_hold(place: &Place, rules: &Rules) -> Vec<String> {
    let filled = |text: &&str| fill(text, place, rules);
    template(&place.reader)
        .may_hold
        .iter()
        .map(filled)
        .collect()
}

/// The expression that gives the list of observables in the row's field, if its conditions hold.
pub fn read(place: &Place, rules: &Rules) -> String {
    let read = fill(template(&place.reader).read, place, rules);
    if place.conditions.is_empty() {
        return read;
    }
    let conditions = all_hold(&place.conditions);
    format!("if(condition={conditions}, then={read}, else=[])")
}

/// Conditions that all have to hold.
pub fn all_hold(conditions: &[Condition]) -> String {
    let conditions: Vec<_> = conditions.iter().map(condition).collect();
    conditions.join(" AND ")
}

/// A condition of the table. `=~` does not tell capitals from small letters.
fn condition(condition: &Condition) -> String {
    let field = column(&condition.field);
    let list = format!("typeof(a={field}) =~ '^[[]'");
    let one_of = |values: &[String]| {
        let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
        let regex = format!("^({})$", values.join("|"));
        format!("str(str={field}) =~ {}", string(&regex, '\''))
    };
    match &condition.test {
        Test::Is(values) => one_of(values),
        Test::IsNot(values) => format!("NOT {}", one_of(values)),
        Test::IsEmpty => format!("({list} OR ({field} || '-') = '-')"),
        Test::IsMissing => format!("({list} OR NOT {} IN E)", string(&condition.field, '\'')),
    }
}

/// Puts a row's own texts in for the names between braces.
fn fill(template: &str, place: &Place, rules: &Rules) -> String {
    let mut parts = template.split(['{', '}']);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
        filled += &value(name, place, rules);
        filled += text;
    }
    filled
}

fn value(name: &str, place: &Place, rules: &Rules) -> String {
    let role = |role: Role| string(rules.matches().role_name(role), '\'');
    match (name, &place.reader) {
        ("text", _) => column(&place.field),
        ("plain", _) => {
            let field = column(&place.field);
            format!(r"if(condition=typeof(a={field}) =~ '^[[]', then='', else={field})")
        }
        ("role", _) => role(place.role),
        ("port", _) => place.port.as_deref().map_or("NULL".to_owned(), column),
        ("mark", Reader::Zone(mark)) => mark.clone(),
        ("conditions", _) => {
            let conditions = place.conditions.iter().rev().map(condition);
            conditions.fold(String::new(), |all, one| all + " AND " + &one)
        }
        (name, _) => format!("{{{name}}}"),
    }
}
