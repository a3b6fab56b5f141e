#!/bin/sh
# What a release must agree on; .github/workflows/release.yml calls it.
#
#   tools/release.sh check TAG   fails unless TAG is v and the version of Cargo.toml, and CHANGELOG.md has a section of it
#   tools/release.sh notes TAG   prints that section
set -eu
cd "$(dirname "$0")/.."
command=${1:?check or notes}
version=${2:?a tag, such as v0.1.0}
version=${version#v}

notes() {
    awk -v heading="## [$version]" '
        index($0, heading) == 1 { inside = 1; next }
        /^## / { inside = 0 }
        inside' CHANGELOG.md
}

case $command in
check)
    ours=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
    [ "$2" = "v$ours" ] || { echo "the tag $2 is not the version in Cargo.toml: tag v$ours, or change the version" >&2; exit 1; }
    [ -n "$(notes | tr -d '[:space:]')" ] ||
        { echo "CHANGELOG.md has nothing under '## [$version]': rename its section [Unreleased]" >&2; exit 1; }
    echo "$2: Cargo.toml and CHANGELOG.md agree"
    ;;
notes)
    notes
    ;;
*)
    echo "tools/release.sh: check or notes, not $command" >&2
    exit 2
    ;;
esac
