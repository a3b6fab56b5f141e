#!/bin/sh
# Checks .github/workflows with actionlint and zizmor; `make lint` calls it. Both are installed once, in these versions,
# into target/workflows: actionlint by Go, zizmor as a wheel from PyPI, or by cargo where pip is missing (some minutes).
set -eu
cd "$(dirname "$0")/.."
actionlint=1.7.12
zizmor=1.32.0
tools=$PWD/target/workflows/$actionlint-$zizmor

if [ ! -x "$tools/bin/actionlint" ]; then
    GOBIN=$tools/bin GOFLAGS='' go install github.com/rhysd/actionlint/cmd/actionlint@v$actionlint ||
        { echo "tools/workflows.sh: actionlint can't be built: the first run needs a network" >&2; exit 1; }
fi
if [ ! -x "$tools/bin/zizmor" ]; then
    if python3 -m pip --version >/dev/null 2>&1; then
        rm -rf "$tools/wheel"
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
            --no-deps --only-binary :all: --target "$tools/wheel" zizmor==$zizmor
        mv "$tools/wheel/bin/zizmor" "$tools/bin/zizmor"
    else
        echo "tools/workflows.sh: pip is missing, so cargo builds zizmor: this takes some minutes" >&2
        cargo install --quiet --locked --root "$tools" zizmor@$zizmor
    fi
fi

"$tools/bin/actionlint" -shellcheck= -pyflakes= # the same result with and without these two
"$tools/bin/zizmor" --offline --quiet --no-progress .github
