# make help says what there is.
GO ?= go
PROFILE ?= quick
BIN := bin

.PHONY: help report preview check test bench-method bench-load lint engine build clean

help: ## say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: build ## measure what is not measured yet (PROFILE=quick unless you say otherwise), and render the site
	@if scripts/engine; then engine=docker; else engine=none; fi; \
	$(BIN)/benchbook report --profile $(PROFILE) --engine $$engine $(ARTICLE)

preview: build ## render the site, serve it on loopback, and reload when an article changes
	@$(BIN)/benchbook preview

check: build ## say what is wrong with articles
	@$(BIN)/benchbook check

test: ## run all tests; those that need an engine or a browser run where there is one
	$(GO) test ./...

bench-method: ## simulate how often verdicts and intervals err, beside the rates they were chosen for (some minutes)
	$(GO) test ./notebook/stats -run TestRatesOfMethod -v -count=1 -timeout 60m -simulations 20000

bench-load: build ## compare the load generator with wrk, and say which of its promises it keeps (some minutes; leave the machine alone)
	@command -v wrk >/dev/null || apt-get install -y --no-install-recommends wrk
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/bench-load ./runner/load/http/bench
	@$(BIN)/bench-load -load $(BIN)/benchbook-load

lint: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

engine: ## find a Docker engine, or install and start one (Debian or Ubuntu, as root)
	@scripts/engine

# The programs that go into containers are static, so that an empty image is enough for them.
build: ## build benchbook and the programs that it puts into containers
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/ ./cmd/benchbook
	@CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -ldflags '-s -w' -buildvcs=false -o $(BIN)/ ./runner/load/http/benchbook-load ./runner/load/benchbook-time \
		./runner/origin/benchbook-origin ./runner/link/benchbook-link

clean: build ## remove what runs left behind in the engine, and what was built
	@$(BIN)/benchbook clean
	rm -rf $(BIN) _site
