# make help lists the targets.
GO ?= go
PROFILE ?=
BUDGET ?= 15m
ENGINE ?= docker
BIN := bin
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
BASE ?= debian:bookworm-slim
# Omit debug symbols, which make up a quarter of the program; LDFLAGS= keeps them.
LDFLAGS ?= -s -w
IMAGE ?= benchbook

.PHONY: help report preview publish check tools screens test test-long test-kubernetes bench-method bench-load bench-tools bench-scale bench-first-use bench-gate size lint engine build install build-cluster agent release image clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installing an engine takes a while, so render pages first.
report: build ## measure what headline claims need, for 15 minutes (BUDGET=), or all of a PROFILE=, and render the site
	@engine=$(ENGINE); \
	if [ $$engine = docker ] && ! scripts/engine --find; then \
		$(BIN)/benchbook render; \
		scripts/engine || engine=none; \
	fi; \
	[ $$engine != docker ] || scripts/base --if-needed || true; \
	$(BIN)/benchbook report $(if $(PROFILE),--profile $(PROFILE),--quick --budget $(BUDGET)) --engine $$engine $(ARTICLE)

preview: build ## render the site, serve it on loopback, and show every change of an article
	@$(BIN)/benchbook preview

publish: build ## render the site, and publish it where benchbook.yaml says
	@$(BIN)/benchbook render && $(BIN)/benchbook publish

check: build ## check articles for errors
	@$(BIN)/benchbook check

# Go starts packages in this order, one per CPU at a time: long ones come first, so that they don't finish last.
# Pages come from committed records. The driver of the manual and the first use are timed after everything else.
test: build ## run all tests but those of test-long; those that need an engine or a browser run where there is one
	@rm -rf _pages && $(BIN)/benchbook render -o _pages >/dev/null
	BENCHBOOK_TEST_SITE=$(CURDIR)/_pages $(GO) test -timeout 45m -skip '^(TestManuals|TestFirstUse$$|TestRename$$)' $(TESTFLAGS) ./cmd/cli ./site ./...
	$(GO) test -timeout 45m -run '^(TestManualsDriver|TestFirstUse)$$' $(TESTFLAGS) ./cmd/cli
	cd cluster && $(GO) test $(TESTFLAGS) ./...

test-long: build ## run what takes longer: a smoke run of all articles, pictures of all pages, all load generators, drivers of other protocols, another module path, many kills, benchbook-cluster and Kubernetes (as root), fuzzing
	$(GO) test -timeout 60m ./runner/load -run TestRealTools -compile
	$(GO) test -timeout 60m ./cmd/cli -run TestManualsOtherProtocols
	$(GO) test -timeout 60m ./internal/archtest -run TestRename
	$(GO) test -timeout 60m ./cmd/cli -run TestKilledAtAnyMoment -kills 60
	$(MAKE) report PROFILE=smoke
	$(MAKE) screens
	$(MAKE) test-kubernetes
	scripts/fuzz 10s

# The tests are built first, because the cluster's network namespace has no access to the internet.
test-kubernetes: ## start a Kubernetes of three nodes, test that engine on it, and stop it (as root; the first time takes some minutes more)
	@scripts/engine
	@$(MAKE) build-cluster
	cd cluster && $(GO) test -c -o ../$(BIN)/kubernetes.test ./kubernetes && $(GO) test -c -o ../$(BIN)/cluster.test .
	cd cluster && BENCHBOOK_TEST_REQUIRE=kubernetes,engine BENCHBOOK_TEST_PROGRAM=$(CURDIR)/$(BIN)/benchbook-cluster clustertest/run sh -c '\
		cd kubernetes && ../../$(BIN)/kubernetes.test -test.timeout 20m "$$@" && \
		cd .. && ../$(BIN)/cluster.test -test.timeout 30m' sh $(TESTFLAGS)

# npm ci installs exactly what the lock file lists, by digest, and runs no install scripts.
tools: _tools/node_modules ## install what pages are checked with: axe-core, and the validator of the W3C, which needs Java
_tools/node_modules: .ci/tools/package-lock.json
	@mkdir -p _tools && cp .ci/tools/package.json .ci/tools/package-lock.json _tools/
	npm ci --prefix _tools --ignore-scripts --no-audit --no-fund
	@touch $@

screens: build ## take pictures of the pages of the site at three widths, in light and dark, into _screens
	@rm -rf _screens; [ -d _site ] || $(BIN)/benchbook render >/dev/null
	BENCHBOOK_TEST_SITE=$(CURDIR)/_site $(GO) test ./site -run TestScreens -count=1 -timeout 30m -screens $(CURDIR)/_screens

bench-method: ## simulate how often verdicts and intervals err, beside the rates they were chosen for (some minutes)
	$(GO) test ./notebook/stats -run TestRatesOfMethod -v -count=1 -timeout 60m -simulations 10000

# Runs in its own network namespace: on a machine with containers, the kernel tracks every connection for two minutes,
# which takes a tenth of the CPU time, and drops connections once its table is full.
bench-load: build bench-tools ## compare the load generator with wrk and ab, and with an older benchbook-agent at BASE (15 minutes; leave the machine alone)
	@unshare $$([ "$$(id -u)" = 0 ] || echo --map-root-user) --net sh -c 'ip link set lo up && exec "$$0" "$$@"' $(BIN)/bench-load -ours $(BIN)/$(AGENT) -base '$(if $(findstring /,$(BASE)),$(BASE))'

bench-tools:
	@command -v wrk >/dev/null && command -v ab >/dev/null || apt-get install -y --no-install-recommends wrk apache2-utils
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/bench-load ./runner/loadgen/comparetest

bench-scale: ## time reading 10,000 records, and check, plan, show and render on 5,000 cells and on 1,000 articles, with their memory (some minutes)
	$(GO) test ./notebook/record -run - -bench Read -benchtime 1x
	$(GO) test ./cmd/cli -run - -bench Scale -benchtime 1x

bench-first-use: ## time the way from nothing to a page with numbers of this machine (leave the machine alone)
	$(GO) test ./cmd/cli -run 'TestFirstUse/from_nothing' -v -count=1 -alone

bench-gate: build ## time how well bench --fail-on tells a change of 2 % and 10 % from none (an hour; leave the machine alone)
	scripts/bench-gate go

size: build ## print lines of product and tests, words of the manual, packages, verbs, flags, and marks of translated English
	@scripts/size

lint: ## formatting, spelling, sizes of functions, layers, vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	@$(GO) tool misspell -error -i nmae .ci scripts cluster cmd docs examples experiments/*/article.md internal lab notebook render runner site *.md
	$(GO) test -run '^(TestLimits|TestLayers)$$' ./internal/archtest
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	cd cluster && $(GO) vet ./... && $$(cd .. && $(GO) tool -n staticcheck) ./...

engine: ## find a Docker engine, or install and start one (Debian or Ubuntu, as root), and see to a Debian image
	@scripts/engine
	@scripts/base --if-needed

# benchbook-agent runs in containers. It is static, so that even an empty image can run it. A compressed copy is embedded
# in benchbook; another one lies next to it for inspection.
AGENT := benchbook-agent
EMBEDDED := runner/images/embedded

build: agent ## build benchbook with the program that it puts into containers
	@CGO_ENABLED=0 $(GO) build -trimpath -tags embedded -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/benchbook

# PREFIX=/usr/local installs for all users; the default is the folder of go install.
install: build ## install benchbook into GOBIN, or into bin/ below PREFIX=
	@dir="$(DESTDIR)$(if $(PREFIX),$(PREFIX)/bin,$(or $(GOBIN),$(shell $(GO) env GOBIN),$(shell $(GO) env GOPATH)/bin))" && \
	mkdir -p "$$dir" && install -m 755 $(BIN)/benchbook "$$dir/benchbook" && echo "installed $$dir/benchbook" && \
	case ":$$PATH:" in *":$$dir:"*) ;; *) echo "add $$dir to your PATH" ;; esac

build-cluster: agent ## build benchbook-cluster, which is benchbook with Kubernetes
	@CGO_ENABLED=0 GOOS=linux $(GO) build -C cluster -trimpath -ldflags '-s -w' -buildvcs=false -o kubernetes/embedded/ ./benchbook-pod
	@CGO_ENABLED=0 $(GO) build -C cluster -trimpath -tags embedded -ldflags '$(LDFLAGS)' -o ../$(BIN)/benchbook-cluster .

agent:
	@CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -ldflags '-s -w' -buildvcs=false -o $(BIN)/ ./runner/$(AGENT)
	@gzip -dc $(EMBEDDED)/$(AGENT).gz 2>/dev/null | cmp -s - $(BIN)/$(AGENT) || { \
		rm -rf $(EMBEDDED) && mkdir -p $(EMBEDDED) && gzip -9n <$(BIN)/$(AGENT) >$(EMBEDDED)/$(AGENT).gz; }

release: ## build archives with checksums in dist/ for the PLATFORMS, and tag the version of CHANGELOG.md
	@scripts/tag --check
	@scripts/release dist $(PLATFORMS)
	@scripts/tag

image: build ## build the image benchbook, for continuous integration, FROM the image BASE
	docker build --build-arg BASE=$(BASE) -t $(IMAGE) .

clean: build ## remove what runs left in the engine, and what was built
	@$(BIN)/benchbook clean
	rm -rf $(BIN) $(EMBEDDED) dist _site _pages _screens _tools
