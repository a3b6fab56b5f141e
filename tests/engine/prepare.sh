#!/bin/sh
# Readies the engine: copies every dependency into vendor/ and writes overlay.json, which puts
# the three stand-ins of stubs/ where the compiler looks for files that Velociraptor's own
# build generates. Runs again only after go.mod has changed, the checkout is in another folder, or a test imports a package that
# vendor/ lacks, on Windows too.
set -eu
cd "$(dirname "$0")"
lists() { go list -mod=vendor -tags server_vql -overlay overlay.json -test . >/dev/null 2>&1; }
complete() { lists && GOOS=windows CGO_ENABLED=0 lists && touch overlay.json; }
engine=$PWD/vendor/www.velocidex.com/golang/velociraptor
overlay=$(cat <<END
{"Replace": {
  "$engine/artifacts/assets/ab0x.go": "$PWD/stubs/assets/ab0x.go",
  "$engine/config/ab0x.go": "$PWD/stubs/config/ab0x.go",
  "$engine/crypto/ab0x.go": "$PWD/stubs/crypto/ab0x.go"
}}
END
)
# It has whole paths: those of a checkout that was moved or copied lead elsewhere.
if [ -e overlay.json ] && [ "$(cat overlay.json)" = "$overlay" ] && [ ! go.mod -nt overlay.json ]; then
	if [ -z "$(find . -maxdepth 1 -name '*.go' -newer overlay.json)" ] || complete; then exit 0; fi
fi

# vendor/ lacks the definitions and data files that the stand-ins read: they need the module itself.
go mod download www.velocidex.com/golang/velociraptor
go mod vendor
printf '%s\n' "$overlay" >overlay.json
