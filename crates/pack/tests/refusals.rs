//! What a release is refused for, each with file and line.
#![allow(clippy::unwrap_used)]

mod support;

use support::{ARTIFACT, INVENTORY, Project};

#[test]
fn a_yaml_error_fails_with_file_and_line() {
    Project::refuses_artifact(
        "    type: string",
        "   type: string",
        "artifacts/Custom/Example.yaml:10: ",
    );
}

#[test]
fn an_unknown_tool_fails_with_file_and_line() {
    Project::refuses_artifact(
        "ThreatFoxHelper_w",
        "Other_w",
        "Custom/Example.yaml:7: the tool Other_windows_amd64 is not in",
    );
}

#[test]
fn a_parameter_without_type_or_description_fails_with_file_and_line() {
    Project::refuses_artifact(
        "    type: string\n",
        "",
        "Example.yaml:9: the parameter Path has no type",
    );
    Project::refuses_artifact(
        "    description: Where to look.\n",
        "",
        "Example.yaml:9: the parameter Path has no description",
    );
}

#[test]
fn a_parameter_whose_description_is_longer_than_a_line_fails_with_file_and_line() {
    let text = format!("{}.", "x".repeat(139));
    let project = Project::new();
    project.put(
        "artifacts/Custom/Example.yaml",
        ARTIFACT.replace("Where to look.", &text),
    );
    project.check_passes();
    for long in [
        format!("{text}."),
        "|\n      Where\n      to look.".to_owned(),
    ] {
        Project::refuses_artifact(
            "Where to look.",
            &long,
            "Example.yaml:9: the description of the parameter Path is longer than one line of 140 characters",
        );
    }
}

#[test]
fn what_velociraptor_would_not_import_fails_with_file_and_line() {
    for (old, new, reason) in [
        ("tools:\n", "bogus: 1\ntools:\n", "Example.yaml:5: "),
        (
            "    type: string\n",
            "    kind: string\n",
            "Example.yaml:10: ",
        ),
        (
            "  - query: SELECT",
            "  - querry: SELECT",
            "Example.yaml:13: ",
        ),
    ] {
        Project::refuses_artifact(old, new, reason);
        Project::refuses_artifact(old, new, "unknown field");
    }
    Project::refuses_artifact(
        "sources:\n",
        "  - name: Path\n    type: string\n    description: Again.\nsources:\n",
        "Example.yaml:12: the parameter Path is there twice",
    );
}

#[test]
fn an_artifact_whose_file_ends_in_yml_fails() {
    for name in ["Helper.yml", "Helper.YAML"] {
        let project = Project::new();
        project.put(&format!("artifacts/Custom/{name}"), ARTIFACT);
        project.refuses(&format!(
            "artifacts/Custom/{name}:1: the pack takes only files that end in .yaml"
        ));
    }
}

#[test]
fn an_artifact_without_description_or_reference_fails() {
    Project::refuses_artifact(
        "description: Finds nothing, for the tests.\n",
        "",
        "Example.yaml:1: no description",
    );
    Project::refuses_artifact(
        "reference:\n  - https://example.com/\n",
        "",
        "Example.yaml:1: no reference",
    );
}

#[test]
fn an_artifact_whose_path_is_not_its_name_fails() {
    Project::refuses_artifact(
        "Custom.Example",
        "Custom.Other",
        "Example.yaml:1: the artifact is named Custom.Other",
    );
}

#[test]
fn a_stale_inventory_fails_with_file_and_line() {
    let project = Project::new();
    project.put(
        "tools/inventory.yaml",
        INVENTORY.replacen("0.1.0", "0.0.9", 1),
    );
    project.refuses("tools/inventory.yaml:2: ThreatFoxHelper_linux_amd64 is version 0.0.9");

    project.put(
        "tools/inventory.yaml",
        format!("{INVENTORY}  - name: Unused\n    platform: any\n    file: x\n    version: '1'\n"),
    );
    project.refuses("tools/inventory.yaml:10: no artifact uses Unused");
}

#[test]
fn an_import_that_the_pack_lacks_fails() {
    Project::refuses_artifact(
        "tools:\n",
        "imports:\n  - Custom.Missing\ntools:\n",
        "Example.yaml:6: imports Custom.Missing, which is not in the pack",
    );
}

#[test]
fn a_shared_artifact_that_is_called_or_collects_fails() {
    let shared =
        "name: Generic.Shared\ndescription: Shared VQL.\nreference:\n  - https://example.com/\n";
    for call in [
        "SELECT * FROM Artifact.Generic.Shared()",
        "SELECT * FROM scope() WHERE import(artifact='Generic.Shared')",
    ] {
        let project = Project::new();
        project.put("artifacts/Generic/Shared.yaml", shared);
        project.put(
            "artifacts/Custom/Example.yaml",
            ARTIFACT.replace("SELECT * FROM info()", call),
        );
        project.refuses("Example.yaml:13: calls Generic.Shared, which the release leaves out");
    }
    let project = Project::new();
    let collects = format!("{shared}sources:\n  - query: SELECT * FROM info()\n");
    project.put("artifacts/Generic/Shared.yaml", collects);
    project.refuses("Generic/Shared.yaml:1: has sources, but the release leaves out");
}

/// A project of two artifacts with these queries.
fn project_with(queries: [&str; 2]) -> Project {
    let project = Project::new();
    for (name, query) in ["Example", "Other"].into_iter().zip(queries) {
        let text = ARTIFACT
            .replace("Example", name)
            .replace("query: SELECT * FROM info()", query);
        project.put(&format!("artifacts/Custom/{name}.yaml"), text);
    }
    project
}

#[test]
fn the_same_body_of_a_let_in_two_artifacts_fails_with_both_places() {
    let query = "query: |
      -- Rows: what is there.
      LET Files = SELECT OSPath, Size
        FROM glob(globs=Path)
        WHERE NOT IsDir AND Size > 1000

      SELECT *
      FROM Files";
    project_with([query, &query.replace("Files", "Found")])
        .refuses("Custom/Other.yaml:15: the same VQL as in artifacts/Custom/Example.yaml:15:");
}

#[test]
fn two_artifacts_may_take_the_same_steps_that_a_third_defines() {
    let query = "query: |
      LET File <= FileNow
      LET Logs <= SELECT * FROM LogsNow
      LET Feed <= FeedNow
      LET Hits <= SELECT * FROM HitsNow

      SELECT *
      FROM Hits";
    project_with([query, query])
        .pack(&["write"])
        .assert()
        .success();
}

#[test]
fn four_lines_of_vql_in_two_artifacts_fail_and_three_do_not() {
    let query = "query: |
      SELECT Name
      FROM pslist()
      WHERE Name
      LIMIT 1";
    project_with([query, &query.replace("LIMIT 1", "LIMIT 2")])
        .pack(&["write"])
        .assert()
        .success();
    project_with([query, query])
        .refuses("Custom/Other.yaml:14: the same VQL as in artifacts/Custom/Example.yaml:14:");
}

/// An artifact that exports this VQL.
fn exporting(name: &str, vql: &str) -> String {
    format!(
        "name: {name}\ndescription: VQL.\nreference:\n  - https://example.com/\nexport: |\n{vql}"
    )
}

#[test]
fn too_much_vql_in_a_hunt_or_in_what_hunts_share_fails_the_check() {
    let lets = |from: usize, to: usize| -> String {
        let lets = (from..to).map(|n| format!("  LET N{n} = {n}\n"));
        "  -- Numbers.\n".to_owned() + &lets.collect::<String>()
    };
    let project = Project::new();
    let put = |file: &str, name: &str, vql: &str| {
        project.put(&format!("artifacts/{file}.yaml"), exporting(name, vql));
    };
    let hunt = "Windows/Detection/Example";
    put(hunt, "Windows.Detection.Example", &lets(0, 15));
    put(
        "Generic/ThreatFox/Feed",
        "Generic.ThreatFox.Feed",
        &lets(100, 130),
    );
    put(
        "Generic/ThreatFox/Match",
        "Generic.ThreatFox.Match",
        &lets(200, 229),
    );
    project.check_passes();

    put(hunt, "Windows.Detection.Example", &lets(0, 16));
    project.check_refuses("Detection/Example.yaml:22: a hunt has 16 LETs, 15 are the limit");
    put(
        hunt,
        "Windows.Detection.Example",
        "  -- A number.\n  LET N = 1\n",
    );

    put(
        "Generic/ThreatFox/Match",
        "Generic.ThreatFox.Match",
        &lets(200, 230),
    );
    project.check_refuses("Feed, Logs, Match, State together have 60 LETs, 59 are the limit");
    let long = "  -- One.\n  LET N = 1 +\n".to_owned() + &"    1 +\n".repeat(250) + "    1\n";
    put("Generic/ThreatFox/Match", "Generic.ThreatFox.Match", &long);
    let other = long.replace("1 +", "2 +");
    put("Generic/ThreatFox/Logs", "Generic.ThreatFox.Logs", &other);
    project.check_refuses("lines, 500 are the limit");
}

#[test]
fn a_let_of_a_hunt_that_nothing_explains_fails_the_check() {
    let project = Project::new();
    let vql = "  -- Two numbers.\n  LET A = 1\n  LET B = 2\n\n  LET C = 3\n";
    project.put(
        "artifacts/Generic/ThreatFox/State.yaml",
        exporting("Generic.ThreatFox.State", vql),
    );
    project.check_refuses("State.yaml:10: nothing says what this LET is");
}

#[test]
fn a_function_in_a_text_that_is_not_compiled_first_fails_the_check() {
    let project = Project::new();
    let put = |name: &str, vql: &str| {
        let path = format!("artifacts/{}.yaml", name.replace('.', "/"));
        project.put(&path, exporting(name, vql));
    };
    let named = "  -- A dict.\n  LET Reading <= dict(\n      First='x=>x', Other='''A, B=>filter(list=A, condition=Reading.First)''')\n";
    put("Generic.ThreatFox.Match", named);
    project.check_passes();

    let nested = named.replace("Reading.First", "'x=>x'");
    put("Generic.ThreatFox.Match", &nested);
    project.check_refuses("ThreatFox/Match.yaml:8: a function in a text");
    put("Generic.ThreatFox.Match", named);

    put(
        "Generic.ThreatFox.Example",
        "  -- A list.\n  LET L = filter(list=M, condition=\"x=>x\")\n",
    );
    project.check_refuses("ThreatFox/Example.yaml:7: a function in a text");
}

#[test]
fn a_file_that_is_too_long_fails_the_check() {
    let project = Project::new();
    project.check_passes();
    project.put(
        "src/main.rs",
        "fn main() {}\n".to_owned() + &"// A line.\n".repeat(400),
    );
    project.check_refuses("src/main.rs:400: has 401 lines");
}

#[test]
fn a_dependency_that_nothing_uses_fails_the_check() {
    let project = Project::new();
    project.add_dependency();
    project.put(
        "src/main.rs",
        "fn main() { near_by::run(); not_near_by_run(); }",
    );
    project.check_passes();
    project.put("src/main.rs", "fn main() { other_near_by::run(); }");
    project.check_refuses("Cargo.toml: nothing in it uses near-by");
}
