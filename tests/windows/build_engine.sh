# Builds the tests' engine for Windows, and says how to run it; engine.sh and memory.sh read it with `.` after wine.sh.
say "building Velociraptor's engine for Windows (the first time some 4 minutes)"
"$top/tests/engine/prepare.sh"
engine=$top/target/engine.test.exe
(cd "$top/tests/engine" &&
    GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go test -c -trimpath -tags server_vql -overlay overlay.json -o "$engine" .)
module=$(cd "$top/tests/engine" && go list -mod=readonly -m -f '{{.Dir}}' www.velocidex.com/golang/velociraptor)

# Runs the engine's tests. Wine shows the whole file system as drive Z.
engine_test() {
    (cd "$top/tests/engine" && VELOCIRAPTOR_MODULE_DIR=Z:$module THREATFOX_BIN=Z:$helper MADE_LOGS=Z:$work wine "$engine" "$@")
}
