//! The tags of an event or attribute, with commas between, and the families that they name.

/// The galaxies of MISP whose clusters are families.
const GALAXIES: [&str; 9] = [
    "malpedia",
    "ransomware",
    "rat",
    "tool",
    "stealer",
    "banker",
    "botnet",
    "mitre-malware",
    "backdoor",
];

/// The families that tags name, as galaxies and taxonomies write them (`misp-galaxy:malpedia="Emotet"`), each once.
pub(super) fn families(tags: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for tag in tags.split(',') {
        let tag = tag.trim().strip_prefix("misp-galaxy:");
        let Some((galaxy, name)) = tag.and_then(|tag| tag.split_once('=')) else {
            continue;
        };
        let name = name.trim_matches('"');
        if GALAXIES.contains(&galaxy) && !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_of_tags_are_those_of_galaxies_each_once() {
        for (tags, found) in [
            ("tlp:white, misp-galaxy:malpedia=\"Emotet\"", Some("Emotet")),
            (
                "misp-galaxy:tool=\"QakBot\",misp-galaxy:malpedia=\"QakBot\",misp-galaxy:rat=\"njRAT\"",
                Some("QakBot, njRAT"),
            ),
            ("misp-galaxy:threat-actor=\"Someone\",osint", None),
            ("", None),
        ] {
            assert_eq!(families(tags).as_deref(), found, "{tags}");
        }
    }
}
