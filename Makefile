# make help lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

GO ?= go
BIN := .cache/bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
HOURS ?= 2000
SEEDS ?= 20000
FROM ?= 1
FUZZTIME ?= 10s
FUZZWORKERS ?= 1
FUZZMINIMIZE ?= 10x
# The database of known vulnerabilities: an address, or a folder that https://vuln.go.dev/vulndb.zip was unpacked into.
VULNDB ?= https://vuln.go.dev
RUNS ?= 60
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# gRPC's own tracing page brings html/template along, and with it the linker must keep every method: 30 MB.
TAGS := grpcnotrace

# Nothing but the race detector needs a C compiler.
export CGO_ENABLED ?= 0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the product and the sandbox into .cache/bin
	@$(GO) build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $(BIN)/clusterswitch ./cmd/clusterswitch
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/sandbox ./cmd/sandbox
	@echo "built $(BIN)/clusterswitch and $(BIN)/sandbox ($(VERSION))"

.PHONY: demo
demo: build control-plane ## Move real traffic between two real clusters on this machine, in five scenarios
	@$(BIN)/sandbox demo --daemon $(BIN)/clusterswitch

.PHONY: test
test: c-compiler control-plane tools ## Run the tests with the race detector, and without it the core's properties more often, and 20,000 seeds of the simulator
	@CGO_ENABLED=1 $(GO) test -race -short -ldflags=-w ./...
	@$(GO) test ./switcher/... ./internal/route53
	@$(GO) build -o $(BIN)/sandbox ./cmd/sandbox
	@$(BIN)/sandbox sim --seeds 20000 --from 1 # apart from go test: the race detector would make it ten times as slow

.PHONY: test-clusters
test-clusters: c-compiler control-plane tools ## Run all tests of the packages that want real API servers, of which make test has one package's
	@CGO_ENABLED=1 $(GO) test -race -ldflags=-w $$(grep -rl --include='*_test.go' 'sandbox/controlplane' cmd config internal probes switcher | xargs -n1 dirname | sort -u | sed 's#^#./#')

.PHONY: preflight-planted
preflight-planted: build control-plane tool-helm ## Try the preflight at two real clusters, alike and with differences planted (4 min; first time 10 more)
	@$(BIN)/sandbox preflight-planted --daemon $(BIN)/clusterswitch --helm $(BIN)/helm

.PHONY: ready-sim
ready-sim: build control-plane ## Show that blue stays ready while autoscalers shrink what has no users, whatever crashes (15 min; first time 8 more)
	@$(BIN)/sandbox ready-sim --daemon $(BIN)/clusterswitch

.PHONY: ready-scenes
ready-scenes: build control-plane ## The same without its longest scene, the singletons of many pairs (5 min)
	@$(BIN)/sandbox ready-sim --daemon $(BIN)/clusterswitch --scene pins,unpinned,rollback,cold,kills

.PHONY: gates-scenes
gates-scenes: build control-plane tool-prometheus ## Show what gates on users' requests do about a bad green, bad luck, and counting that fails (4 min)
	@$(BIN)/sandbox gates-scenes --daemon $(BIN)/clusterswitch --prometheus $(BIN)/prometheus

.PHONY: soak
soak: build control-plane ## Let two daemons shift RUNS times while everything around them breaks; a run that .demo/soak has isn't run again (60: 40 to 60 min)
	@$(BIN)/sandbox soak --daemon $(BIN)/clusterswitch --dir .demo/soak --runs $(RUNS)

.PHONY: soak-few
soak-few: build control-plane ## Three of these runs, each time anew (2 min)
	@rm -rf .demo/soak-few
	@$(BIN)/sandbox soak --daemon $(BIN)/clusterswitch --dir .demo/soak-few --from 1 --runs 3

.PHONY: e2e
e2e: test-clusters demo preflight-planted ready-scenes gates-scenes soak-few faults ## Run all tests at real API servers, the demo, the planted preflight, the scenes of blue's readiness and of the gates, three runs of the soak, each write to AWS with each fault, and the tests that need the whole world (build tag e2e)
	@packages=$$({ grep -rl --include='*_test.go' '^//go:build e2e' cmd config internal probes switcher || true; } | xargs -r -n1 dirname | sort -u | sed 's#^#./#'); \
	[ -z "$$packages" ] || $(GO) test -tags e2e -run E2E $$packages

.PHONY: bench
bench: build control-plane ## Measure rollbacks beside the bare SDK calls, and the preflight of large clusters beside kubectl
	@$(BIN)/sandbox bench --daemon $(BIN)/clusterswitch

.PHONY: footprint
footprint: build control-plane ## Measure how large the daemon is: image, start, memory with one pair and with a hundred (2 min)
	@$(BIN)/sandbox footprint --daemon $(BIN)/clusterswitch

# PULL=1 takes the Dockerfile's base images from their registries; without, they are made of this machine's Go and certificates.
.PHONY: real-node
real-node: build control-plane tool-helm ## Install the chart on a real node that this machine becomes for a while, and shift a pair from there (root, containerd; 3 min; first time 15 more)
	@$(BIN)/sandbox real-node --daemon $(BIN)/clusterswitch --helm $(BIN)/helm $(if $(PULL),--pull)

.PHONY: faults
faults: ## Try each write to AWS with each fault, in every shape, and say what came of it
	@cd internal/awscontract && $(GO) test -count=1

.PHONY: sim
sim: build ## Play SEEDS seeds of replicas, clocks, AWS and API server with every fault, from seed FROM on (20000: 1 min)
	@$(BIN)/sandbox sim --seeds $(SEEDS) --from $(FROM)

# FUZZTIME is for each target. A target that crashes leaves its input below testdata/fuzz of its package, to be kept.
# FUZZMINIMIZE bounds how long go makes an input smaller that reached new code: where goroutines take part the same input
# reaches other code each time, and by default each such input would take a minute. Go before 1.27 sometimes calls the
# end of the time a failure, of no input: that is none (https://go.dev/issue/75804).
.PHONY: fuzz
fuzz: ## Feed made-up input to every parser that meets the outside, FUZZTIME each (10s)
	@started=$$SECONDS; targets=0; crashes=0; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	while IFS=: read -r file target; do \
		targets=$$((targets + 1)); package=./$$(dirname "$$file"); verdict=ok; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime $(FUZZMINIMIZE) -parallel $(FUZZWORKERS) "$$package" >"$$log" 2>&1 || \
			{ grep -qx '    context deadline exceeded' "$$log" && ! grep -qE 'Failing input|panic|terminated' "$$log"; } || { verdict=CRASHED; crashes=$$((crashes + 1)); }; \
		executions=$$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$$log" | tail -1); \
		echo "$$package $$target: $$verdict, $${executions:-0} inputs"; \
		[ $$verdict = ok ] || cat "$$log"; \
	done < <(grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd config internal probes switcher | sed 's/:[0-9]*:func /:/' | sort); \
	echo "targets=$$targets seconds=$$((SECONDS - started)) crashes=$$crashes"; [ $$crashes -eq 0 ]

.PHONY: gates-sim
gates-sim: build ## Play HOURS of made-up traffic a row against the gates by evidence, and against what others use (2000: 20 min)
	@$(BIN)/sandbox gates-sim --hours $(HOURS)

.PHONY: mutants
mutants: build ## Plant mistakes in core, loop and adapters, one at a time, and see that the simulator finds each (5 min)
	@$(BIN)/sandbox mutants

.PHONY: explore
explore: build ## Try everything that two replicas can do in small worlds, every order of their calls, until nothing is left (6 min)
	@$(BIN)/sandbox explore

.PHONY: lint
lint: linter ## Check style, formatting, modules and suspicious code
	@echo "golangci-lint"; $(BIN)/golangci-lint run --allow-parallel-runners
	@echo "gofmt"; files=$$(gofmt -l cmd config internal probes switcher); [ -z "$$files" ] || { echo "not formatted, run gofmt -w on:"; echo "$$files"; exit 1; }
	@echo "go vet"; $(GO) vet -tags e2e ./...
	@echo "go mod tidy"; for dir in . internal/tools/*/; do (cd "$$dir" && $(GO) mod tidy -diff >/dev/null) || { echo "$$dir: go.mod isn't tidy, run go mod tidy there"; exit 1; }; done

.PHONY: vuln
vuln: tool-vuln ## Look for known vulnerabilities in what is called (VULNDB=FOLDER without a network, STRICT=1 fails without a database)
	@db='$(VULNDB)'; case "$$db" in *://*) ;; *) db="file://$$(cd "$$db" && pwd)";; esac; \
	status=0; said=$$($(BIN)/govulncheck -db "$$db" ./... 2>&1) || status=$$?; echo "$$said"; \
	if [ $$status -eq 1 ] && ! $(BIN)/govulncheck -db "$$db" ./internal/logkey >/dev/null 2>&1; then \
		echo "NOT CHECKED: the database at $$db can't be read, so nothing is known about vulnerabilities." >&2; \
		echo "Where there is a network: fetch https://vuln.go.dev/vulndb.zip and unpack it; here: make vuln VULNDB=FOLDER" >&2; \
		[ -n "$(STRICT)" ] || status=0; \
	fi; exit $$status

.PHONY: gen
gen: control-plane tools ## Write everything that is generated: deepcopy, CRD, chart, reference documents, stories
	@$(BIN)/controller-gen object crd output:crd:dir=internal/api/v1alpha1 paths=./internal/api/v1alpha1
	@$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' config internal probes switcher | xargs -n1 dirname | sort -u | sed 's#^#./#') -update
	@git --no-pager diff --stat 2>/dev/null || true

.PHONY: clean
clean: ## Remove what was built, and the demo's report
	@rm -rf .cache/bin .demo bin

# What the verbs stand on. Go's build cache knows what is up to date, so these take no time the second time.

.PHONY: control-plane
control-plane:
	@$(GO) run ./internal/sandbox/controlplane/build >/dev/null

.PHONY: tools
tools: $(addprefix tool-,crd helm prometheus)

.PHONY: linter
linter: tool-lint

TOOL_crd := sigs.k8s.io/controller-tools/cmd/controller-gen
TOOL_helm := helm.sh/helm/v4/cmd/helm
TOOL_prometheus := github.com/prometheus/prometheus/cmd/prometheus
TOOL_vuln := golang.org/x/vuln/cmd/govulncheck
TOOL_lint := github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# Nothing discovers targets at a cloud here: that leaves out half of what Prometheus is built from. The tests build it so too.
FLAGS_prometheus := -tags remove_all_sd -ldflags '-s -w'

tool-%:
	@mkdir -p $(BIN)
	@[ -x $(BIN)/$(notdir $(TOOL_$*)) ] || echo "building $(notdir $(TOOL_$*)) (once, one to three minutes)"
	@cd internal/tools/$* && $(GO) build $(FLAGS_$*) -o ../../../$(BIN)/ $(TOOL_$*)

.PHONY: c-compiler
c-compiler:
	@set -- $$($(GO) env CC); command -v "$$1" >/dev/null || { \
		echo "make test needs a C compiler, because it runs Go's race detector." >&2; \
		echo "Install gcc or clang (Debian: apt install gcc; macOS: xcode-select --install), or set CC." >&2; \
		exit 1; }
