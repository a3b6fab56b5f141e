# What can be done here. Every target sets up what it needs from a fresh checkout. Rust, Go, a C compiler and make are enough,
# unless its line of help names more.
.DEFAULT_GOAL := help
.PHONY: help helper packer demo hunt can-hunt test test-rust test-docs test-engine test-windows bench plots compare fuzz generate lint msrv deny pack verify-dist golden reproduce hooks clean

# The recipes look for what cargo built in target/.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR CARGO_BUILD_TARGET

ENGINE := tests/engine
# Says what runs, every 10 s that it still runs, and afterwards how long it took.
STEP = @tools/step.sh

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16

helper: ## Build the helper, target/release/threatfox
	$(STEP) "build the helper" cargo build --locked --release --package threatfox-cli

packer: ## Build the packer, target/release/pack
	$(STEP) "build the packer" cargo build --locked --release --quiet --package pack

DEMO = EVTX=tests/data/evtx/sysmon6-issue_43.evtx \
	FEED="tests/data/threatfox/recent-2026-03-15.csv tests/data/demo/planted.csv" \
	THREATFOX_BIN="$(CURDIR)/target/demo/threatfox" PACK_BIN="$(CURDIR)/target/demo/pack" \
	$(ENGINE)/hunt.sh

demo: ## Hunt a real export plus planted indicators in a real Sysmon log [VELOCIRAPTOR=binary, which needs no Go]
	@$(DEMO) check
	@echo "This builds the helper (a minute the first time)$(if $(VELOCIRAPTOR),, and Velociraptor's engine (about 10 minutes the first time, about a minute later)), then hunts (seconds)."
	$(STEP) "build the helper and the packer" cargo build --locked --profile demo --quiet --package threatfox-cli --package pack
	@$(DEMO)

hunt: can-hunt helper packer ## Hunt in logs of your own: make hunt EVTX=FILE-OR-FOLDER [FEED=FILE] [OUT=FILE.jsonl] [NORMALIZE_ARGS=…] [HUNT_ARGS=…]
	@$(ENGINE)/hunt.sh

# Before anything is built: whether the paths are there, and something to hunt with. The variables of make are in its environment.
can-hunt:
	@$(ENGINE)/hunt.sh check

test: test-rust test-docs test-engine ## Run every test (needs python3)

test-rust: ## Test the library and the helper
	$(STEP) "test the helper" cargo test --locked --quiet
	$(STEP) "hold the reader of logs against the crate evtx" cargo test --locked --quiet --package same-as-evtx

test-docs: helper packer ## Test the documents: links, names, and each command that can run here
	$(STEP) "test the documents" sh -c 'cd $(ENGINE) && go test -count=1 ./docs'

test-engine: helper packer ## Test the artifacts in Velociraptor's own engine (the first build takes some minutes; needs python3)
	$(STEP) "ready Velociraptor's engine" $(ENGINE)/prepare.sh
	$(STEP) "test the artifacts in the engine" $(ENGINE)/test.sh -timeout 60m

test-windows: helper ## Run the helper for Windows and the hunts in Velociraptor's engine for Windows under wine (skipped where wine is missing)
	$(STEP) "test the helper for Windows" tests/windows/test.sh
	$(STEP) "test the hunts in the engine for Windows" tests/windows/engine.sh

bench: helper ## Measure: normalize against bare reads and Python, the hunt against bare parse_evtx (needs python3) [IOC_LIST=FILE]
	$(STEP) "normalize" cargo run --locked --release --quiet --package threatfox --example bench_feed -- 10000 100000 1200000 $(IOC_LIST)
	$(STEP) "match" cargo run --locked --release --quiet --package threatfox --example bench_match -- target/release/threatfox 100000 1000000
	$(STEP) "hunt" $(ENGINE)/bench.sh
	$(STEP) "scan and the Native hunt" $(ENGINE)/bench_native.sh
	$(STEP) "live" $(ENGINE)/bench_live.sh

plots: helper ## Measure the hunt for feeds and logs of several sizes and draw it (docs/plots; needs python3 and an idle machine)
	$(STEP) "plots" $(ENGINE)/plots.sh

compare: helper ## Put the blog's query, the built-in way, our cells and the hunt side by side (docs/comparison.md)
	@$(ENGINE)/test.sh -v -run '^TestEngine$$/^TestTheBlogsCellAndItsReplacements$$' 2>&1 | grep -E '^compare:|^ *--- FAIL|^FAIL|^ +Error|^panic'

fuzz: ## Let libFuzzer look for input that breaks a parser (FUZZ_SECONDS=600 each; needs a C++ compiler)
	$(STEP) "fuzz" tests/tools/fuzz.sh
	$(STEP) "fuzz the reader of logs" env FUZZ_SECONDS=$${FUZZ_SECONDS:-600} cargo test --locked --release --quiet --package threatfox-fuzz --test mutated_chunks

generate: ## Write what follows from rules/*.csv: the artifact Generic.ThreatFox.Rules, and the tables in documents
	@cargo run --locked --release --quiet --package pack -- generate

lint: ## Check format, lints, the source's files and dependencies, artifacts, and that what follows from rules/*.csv is up to date
	$(STEP) "cargo fmt" cargo fmt --all --check
	$(STEP) "cargo clippy" cargo clippy --locked --quiet --all-targets -- -D warnings
	$(STEP) "check the source and the pack" cargo run --locked --release --quiet --package pack -- check
	$(STEP) "check the workflows" tools/workflows.sh
	$(STEP) "ready Velociraptor's engine" $(ENGINE)/prepare.sh
	$(STEP) "gofmt" sh -c 'bad=$$(gofmt -l $(ENGINE)/*.go $(ENGINE)/docs $(ENGINE)/stubs); [ -z "$$bad" ] || { echo "$$bad"; exit 1; }'
	$(STEP) "verify the artifacts" $(ENGINE)/test.sh -run 'TestEngine/TestVerify'

msrv: ## Build with the oldest Rust that Cargo.toml promises (needs rustup)
	$(STEP) "build with the oldest Rust" sh -c 'cargo "+$$(sed -n "s/^rust-version = \"\(.*\)\".*/\1.0/p" Cargo.toml)" check --locked --quiet --all-targets --target-dir target/msrv'

deny: ## Check licences, sources and doubles of the dependencies, offline (needs cargo-deny)
	$(STEP) "cargo deny" cargo deny --offline --locked check bans licenses sources

pack: $(if $(SYSTEMS)$(HELPERS),,helper) ## Make the release in dist/ with this machine's helper, those for SYSTEMS="linux windows" (tools/build.sh says what it needs), or those in the folder HELPERS [URL_BASE=https://…]
	@tools/new_dist.sh begin
	@for system in $(SYSTEMS); do tools/build.sh $$system target/dist || exit $$?; done
	$(STEP) "make the release" cargo run --locked --release --quiet --package pack -- write --dist target/dist \
		$(if $(SYSTEMS)$(HELPERS),,--helper target/release/threatfox) $(if $(URL_BASE),--url-base "$(URL_BASE)")
	$(STEP) "check the release" cargo run --locked --release --quiet --package pack -- verify --dist target/dist
	@tools/new_dist.sh end

verify-dist: ## Check a release in dist/ without a network: SHA256SUMS, SBOMs, and which files the signatures are for
	@cargo run --locked --release --quiet --package pack -- verify

golden: helper ## Write the golden files anew; read the diff before you commit it
	$(STEP) "golden files" $(ENGINE)/test.sh -run 'TestEngine/(TestHuntFindsExactly|TestFilesRemember)' -update

reproduce: ## Make the release with both helpers, build these a second time in another folder and compare the bytes
	$(MAKE) pack SYSTEMS="linux windows"
	$(STEP) "the helper for Linux again" tools/reproduce.sh linux
	$(STEP) "the helper for Windows again" tools/reproduce.sh windows

hooks: ## Check what you commit, before each commit (tools/pre-commit)
	@folder=$$(git rev-parse --git-path hooks) && mkdir -p "$$folder" && \
		{ cmp -s tools/pre-commit "$$folder/pre-commit" || ln -sv "$(CURDIR)/tools/pre-commit" "$$folder/pre-commit"; }

clean: ## Remove what was built
	rm -rf target dist $(ENGINE)/vendor $(ENGINE)/overlay.json
