#!/bin/sh
# Runs the engine's tests; arguments go to `go test` (./test.sh -run TestEngine/TestGolden -v).
set -eu
cd "$(dirname "$0")"
./prepare.sh

VELOCIRAPTOR_MODULE_DIR=$(go list -mod=readonly -m -f '{{.Dir}}' www.velocidex.com/golang/velociraptor)
export VELOCIRAPTOR_MODULE_DIR

# -trimpath: without it every folder this is checked out to builds the whole engine anew,
# because the build cache then goes by path. -count=1: the artifacts lie outside the module, so go cannot see them change.
# -vet=off: vet looks at every package of the engine first, which takes longer than building it.
# server_vql: the functions of a server, such as server_metadata().
exec go test -count=1 -vet=off -trimpath -tags server_vql -overlay overlay.json "$@" .
