//! `pack generate`: what it writes from rules/*.csv, and that `pack check` finds what differs.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use support::{PLACES, Project};

const RULES: &str = "artifacts/Generic/ThreatFox/Rules.yaml";

fn read(project: &Project, file: &str) -> String {
    fs::read_to_string(project.path(file)).unwrap()
}

/// The project with a line more in places.csv.
fn with_place(line: &str) -> Project {
    let project = Project::new();
    project.put("rules/places.csv", format!("{PLACES}{line}\n"));
    project
}

#[test]
fn generate_again_writes_nothing() {
    let project = with_place("Example,1,Host,host,query,,");
    let said = project.generate();
    assert_eq!(said, format!("{RULES}: written\n"));
    let said = project.generate();
    assert!(said.starts_with("nothing to do"), "{said}");
    project.check_passes();
}

#[test]
fn a_file_that_differs_from_the_tables_fails_the_check_and_the_release() {
    let project = with_place("Example,1,Host,host,query,,");
    project.put("docs/a.md", "<!-- rules: places -->\nold\n<!-- end -->\n");
    for file in [RULES, "docs/a.md"] {
        let reason = format!("{file}:1: differs from rules/*.csv: run `make generate`");
        project.check_refuses(&reason);
        project.refuses(&reason);
    }
    project.generate();
    project.check_passes();

    project.put(RULES, read(&project, RULES) + "  -- By hand.\n");
    project.check_refuses(RULES);
}

#[test]
fn a_line_in_places_gives_an_event_of_a_new_provider_a_reader() {
    let project = with_place("Example-Provider,9001,RemoteHost,host,query,,");
    project.generate();
    let gate = "
        `Example-Provider`=dict(
          `9001`='''E, Feed, Counts, Time=>set(item=Counts, field='9001', value=(1 + (Counts.`9001`[0] || 0), (Counts.`9001`[1] < Time && Counts.`9001`[1]) || Time, (Time < Counts.`9001`[2] && Counts.`9001`[2]) || Time))
            && ((E.RemoteHost != '-' AND cache(name=Feed.Hosts, key=E.RemoteHost).Keys))''')";
    let reader = "
        `Example-Provider`=dict(
          `9001`='''E, Feed=>ReadHost(Feed=Feed, Role='query', Text=if(condition=typeof(a=E.RemoteHost) =~ '^[[]', then='', else=E.RemoteHost))''')";
    let made = read(&project, RULES);
    assert!(made.contains(gate) && made.contains(reader), "{made}");
}

#[test]
fn an_event_that_tells_nothing_without_a_field_notes_whether_it_has_it() {
    let project = with_place("Linux-Sysmon,2,Hashes,hashes,file,,");
    project.generate();
    let made = read(&project, RULES);
    let noted = ", Counts.`1`[3] || (E.CommandLine && TRUE)))";
    assert!(
        made.contains(noted) && !made.contains("Counts.`2`[3]"),
        "{made}"
    );
    assert!(made.contains("Field=\"CommandLine\""), "{made}");
}

#[test]
fn a_provider_of_two_lines_has_one_entry_with_both() {
    let project = with_place("A|B,1,X,host,query,,\nB,1,Y,url,query,,\nB,2|1,Z,zone Mark,query,,");
    project.generate();
    let made = read(&project, RULES);
    assert_eq!(made.matches("`B`=dict(").count(), 2, "{made}"); // a gate and a reader
    let of_b = made.split("`B`=dict(").nth(2).unwrap();
    let first = of_b.split("'''").nth(1).unwrap();
    for read in [
        "ReadHost(Feed=Feed, Role='query', Text=if(condition=typeof(a=E.X) =~ '^[[]', then='', else=E.X))",
        "ReadURL(Feed=Feed, Role='query', Text=if(condition=typeof(a=E.Y) =~ '^[[]', then='', else=E.Y))",
        "ReadURL(Feed=Feed, Role='query', Text=parse_string_with_regex(string=str(str=if(condition=typeof(a=E.Z) =~ '^[[]', then='', else=E.Z)), ",
        "Mark=(?P<URL>",
    ] {
        assert!(first.contains(read), "{first}");
    }
}

#[test]
fn a_name_or_value_can_not_break_the_vql() {
    let project = with_place("A,1,Select,host,query,,Image is it's|a.b; some.thing is missing");
    project.generate();
    let made = read(&project, RULES);
    for expected in [
        "else=E.`Select`)",
        r"str(str=E.Image) =~ '^(it\'s|a\\.b)$'",
        "NOT 'some.thing' IN E",
    ] {
        assert!(made.contains(expected), "{made}");
    }
}

#[test]
fn a_table_is_written_between_its_markers_as_far_right_as_they_are() {
    let project =
        with_place("Microsoft-Windows-Example|Linux-Example,7|8,Addr,address,query,Port,X is a|b");
    project.put(
        "README.md",
        "above\n<!-- rules: matches -->\nold\n\nold\n<!-- end -->\nbelow",
    );
    project.put(
        "artifacts/Custom/Example.yaml",
        support::ARTIFACT.replace(
            "description: Finds nothing, for the tests.\n",
            "description: |\n  Finds nothing.\n\n  <!-- rules: places -->\n  <!-- end -->\n",
        ),
    );
    project.generate();
    assert_eq!(
        read(&project, "README.md"),
        "above
<!-- rules: matches -->
| Where | Read as | strong | medium | weak |
|---|---|---|---|---|
| Example 7, 8 | query | `domain` | | `url host` |
| Sysmon 1 | file | `md5` | | |
<!-- end -->
below"
    );
    let expected = "
  <!-- rules: places -->
  | Where | Field | Reader | Read as | Only if |
  |---|---|---|---|---|
  | Sysmon 1 | `Hashes` | hashes | file | |
  | a value that is looked up | `Host` | host | query | |
  | Example 7, 8 | `Addr`, `Port` | address | query | X is a or b |
  <!-- end -->
";
    let made = read(&project, "artifacts/Custom/Example.yaml");
    assert!(made.contains(expected), "{made}");
    project.check_passes();
}

#[test]
fn a_bad_marker_fails_with_file_and_line() {
    for (text, reason) in [
        (
            "\n<!-- rules: match -->\n<!-- end -->\n",
            "docs/a/b.md:2: there is no table \"match\": the tables are matches or places",
        ),
        (
            "<!-- rules: matches -->\n",
            "docs/a/b.md:1: the table matches does not end: write `<!-- end -->`",
        ),
        (
            "<!-- rules: matches -->\n\n<!-- rules: places -->\n<!-- end -->\n",
            "docs/a/b.md:1: the table matches does not end",
        ),
        (
            "x\n<!-- end -->\n",
            "docs/a/b.md:2: no table begins above `<!-- end -->`: remove it",
        ),
    ] {
        let project = Project::new();
        project.put("docs/a/b.md", text);
        project.generate_refuses(reason);
        project.check_refuses(reason);
    }
}

#[test]
fn a_bad_line_in_places_fails_with_line_and_column() {
    for (line, reason) in [
        (
            "A,1,X,hosts,query,,",
            "\"hosts\" is not a reader (rules/places.csv, line 4, column reader). Give one of address, ",
        ),
        (
            "A,1,X,host,asked,,",
            "\"asked\" is not a role (rules/places.csv, line 4, column role). Give one of matches.csv: ",
        ),
        (
            "A,1,X,host,query,,\nA,1,X,host,query,,",
            "the row is there twice (rules/places.csv, line 5, column provider). Remove one",
        ),
        (
            "A,1,,host,query,,",
            "the field is empty (rules/places.csv, line 4, column field). Fill it",
        ),
        (
            "A,1,X,host,query,,Image = x",
            "\"Image = x\" is not a condition (rules/places.csv, line 4, column condition). Write X is a|b",
        ),
        (
            "A,one,X,host,query,,",
            "\"one\" is not an event id (rules/places.csv, line 4, column event_id). Give numbers",
        ),
        (
            "A,1,X`Y,host,query,,",
            "\"X`Y\" has a backtick or a control character (rules/places.csv, line 4, column field). Name it without",
        ),
    ] {
        let project = with_place(line);
        project.generate_refuses(reason);
        project.check_refuses(reason);
    }
}

#[test]
fn a_bad_line_in_the_other_tables_fails_with_line_and_column() {
    for (file, line, reason) in [
        (
            "matches.csv",
            "file,md4,md4,strong",
            "\"md4\" is not a kind (rules/matches.csv, line 5, column kind)",
        ),
        (
            "never.csv",
            "network,10.0.0.0,private",
            "\"10.0.0.0\" is not a network (rules/never.csv, line 3, column value)",
        ),
    ] {
        let project = Project::new();
        let file = format!("rules/{file}");
        project.put(&file, read(&project, &file) + line + "\n");
        project.generate_refuses(reason);
        project.check_refuses(reason);
    }
    let project = Project::new();
    fs::remove_file(project.path("rules/never.csv")).unwrap();
    project.generate_refuses("rules/never.csv can't be read");
}

/// Each of the project's own files is as its tables say.
#[test]
fn the_project_is_up_to_date() {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pack"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .arg("check")
        .assert()
        .get_output()
        .clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("make generate"), "{said}");
}
