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
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Nothing but the race detector needs a C compiler.
export CGO_ENABLED ?= 0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the product and the sandbox into .cache/bin
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/clusterswitch ./cmd/clusterswitch
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/sandbox ./cmd/sandbox
	@echo "built $(BIN)/clusterswitch and $(BIN)/sandbox ($(VERSION))"

.PHONY: demo
demo: build control-plane ## Move real traffic between two real clusters on this machine, in five scenarios
	@$(BIN)/sandbox demo --daemon $(BIN)/clusterswitch

.PHONY: test
test: c-compiler control-plane tools ## Run all tests with the race detector, and the core's properties more often without
	@CGO_ENABLED=1 $(GO) test -race ./...
	@$(GO) test ./switcher/...

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

.PHONY: e2e
e2e: demo preflight-planted ready-scenes gates-scenes faults ## Run the demo, the planted preflight, the scenes of blue's readiness and of the gates, each write to AWS with each fault, and the tests that need the whole world (build tag e2e)
	@packages=$$({ grep -rl --include='*_test.go' '^//go:build e2e' cmd config internal probes switcher || true; } | xargs -r -n1 dirname | sort -u | sed 's#^#./#'); \
	[ -z "$$packages" ] || $(GO) test -tags e2e -run E2E $$packages

.PHONY: bench
bench: build control-plane ## Measure rollbacks beside the bare SDK calls, and the preflight of large clusters beside kubectl
	@$(BIN)/sandbox bench --daemon $(BIN)/clusterswitch

.PHONY: faults
faults: ## Try each write to AWS with each fault, in every shape, and say what came of it
	@cd internal/awscontract && $(GO) test -count=1

.PHONY: gates-sim
gates-sim: build ## Play HOURS of made-up traffic a row against the gates by evidence, and against what others use (2000: 20 min)
	@$(BIN)/sandbox gates-sim --hours $(HOURS)

.PHONY: lint
lint: linter ## Check style, formatting, modules and suspicious code
	@echo "golangci-lint"; $(BIN)/golangci-lint run --allow-parallel-runners
	@echo "gofmt"; files=$$(gofmt -l cmd config internal probes switcher); [ -z "$$files" ] || { echo "not formatted, run gofmt -w on:"; echo "$$files"; exit 1; }
	@echo "go vet"; $(GO) vet -tags e2e ./...
	@echo "go mod tidy"; for dir in . internal/tools/*/; do (cd "$$dir" && $(GO) mod tidy -diff >/dev/null) || { echo "$$dir: go.mod isn't tidy, run go mod tidy there"; exit 1; }; done

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
