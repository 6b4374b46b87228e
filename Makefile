# Every target has a help line behind "##"; make alone prints them.
.DEFAULT_GOAL := help
.PHONY: help build demo test canaries lint check kill runners sim attack planted browser editor hostile bench release fmt

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./fragplan
	CGO_ENABLED=0 go build -trimpath -o fragplan ./cmd/fragplan

demo: build ## the whole story on a TON network of this machine
	./examples/quickstart/demo.sh

test: ## what a change must pass; with PostgreSQL (Debian: postgresql), over that too
	go vet ./...
	go test -timeout 30m ./...
	go test -count=1 -short .

canaries: ## run all tests and search everything that they say and leave for the secrets that they hold
	CANARIES=$(or $(PACKAGES),./...) go test -count=1 -timeout 2h -run '^TestCanaries$$' -v ./cmd/fragplan

lint: ## actionlint over every workflow, and shellcheck (Debian: shellcheck) over every script
	LINT=1 go test -count=1 -v -run 'AreSound$$' ./scripts

check: test lint ## test, race detector, staticcheck, the workflows and the scripts
	go test -race ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

KILLS = 2000
kill: ## kill the real apply KILLS times, and compare all books
	KILLS=$(KILLS) go test -count=1 -timeout 3h -parallel 4 -run '^Test(Kill|Together|Paused|FullDisk)$$' -v ./cmd/fragplan

CLONES = 20
CLONEKILLS = 200
runners: ## CLONES fresh runners at once and CLONEKILLS kills, over a branch and over PostgreSQL, and their crash matrices
	KILLS=1 CLONES=$(CLONES) CLONEKILLS=$(CLONEKILLS) go test -count=1 -timeout 6h -run '^TestClones|^TestWorkers|^TestCrashAtEveryPush|^TestCrashAtEveryWrite$$/^database$$' -v ./cmd/fragplan

sim: ## play SEEDS=100000 seeds of faults, or tell the story of SEED=n; STORE=memory or sqlite
	SEEDS=$(or $(SEEDS),100000) MATRIX=all go test ./reconcile -run '$(if $(SEED),TestSimulation$$,TestSimulation|TestCrashMatrix)' -count=1 -v -timeout 3h

browser: ## open the page of report -format html in Chromium (Debian's package chromium)
	go test -count=1 -v -run TestThePageInABrowser ./report

editor: ## try the schemas in the language server behind YAML in editors (node and npm)
	cd spec/testdata/editor && npm ci --no-audit --no-fund
	go test -count=1 -v -run TestTheSchemasInAnEditor ./spec

hostile: ## read files that were written to make a reader suffer, and fuzz for two minutes
	HOSTILE=1 go test -count=1 -v -timeout 30m -run TestHostileProjects ./cmd/fragplan
	go test -run '^$$' -fuzz FuzzLoad -fuzztime 2m ./spec

MUTATIONS = 1000000
attack: ## be a hostile Fragment and a hostile signer, MUTATIONS times
	MUTATIONS=$(MUTATIONS) go test -count=1 -timeout 3h -run '^Test(AttacksAreRefused|BadSignersSendNothing|MutationsAreRefused|FlippedBitsAreRefused)$$' -v ./cmd/fragplan ./firewall

planted: ## plant every bug of testdata/planted, or those that begin with BUG=name, and demand that a test fails
	PLANTED=$(BUG) go test -count=1 -timeout 3h -run '^TestPlanted$$' -v .

bench: ## print the figures of the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

release: ## build a release twice without publishing it, and compare every byte (goreleaser, cyclonedx-gomod)
	./scripts/same.sh

fmt: ## format the Go files
	gofmt -w $$(git ls-files '*.go')
