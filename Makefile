# EdgeFlow: every verb of this repository. `make` alone prints them.
#
# Needs Python 3.11 or newer and git; everything else is fetched into .venv/ and .make/ by the verbs below.
# Stamps in .make/ remember what was done from which inputs, so that a second run does nothing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_NO_PROGRESS := 1
export npm_config_fund := false
export npm_config_audit := false
export npm_config_update_notifier := false

PACKAGES := protocol cloud agent
CONSOLE := cloud/edgeflow_cloud/app/console/index.html
# A checkout that was moved, or whose Python went away, gets its .venv made again.
ifneq ($(shell cat .make/locked 2>/dev/null)$(wildcard $(BIN)/python),$(CURDIR)$(BIN)/python)
.PHONY: .make/locked
endif
WEB_SOURCES := $(shell find web -name node_modules -prune -o -type f -not -path 'web/dist/*' -print 2>/dev/null)

.PHONY: help up test check bench kills gen docs lock clean setup console browser programs

help: ## Print this list
	@echo "EdgeFlow. The two to begin with: make up, make test"
	@echo
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -nE 's/^([a-z]+):.*## (.*)/  make \1   \2/p' Makefile

up: setup console ## Start the cloud and one demo device; Ctrl-C ends both
	@exec $(BIN)/edgeflow-cloud up

test: setup console browser programs ## Run all tests: console, then pure, PostgreSQL and whole-product tests
	@npm --prefix web test --silent
	@$(BIN)/python -m tools.chromium --run -- $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

check: setup .make/web ## Run every check that needs no product running: types, lint, layers, SQL, docs
	@$(BIN)/python -m tools.check

bench: setup ## Measure the promises beside their floors (FIGURES="S1 S5": some); JSON goes to build/bench/
	@$(BIN)/python -m tools.bench $(FIGURES)

kills: setup programs ## Kill the agent at 200 random system calls (N=200, SEED=1) and look at what is left, some ten minutes
	@folder=$$(mktemp -d) && timeout 1800 $(BIN)/python -m agent.tests.kills.killing $(or $(N),200) $(or $(SEED),1) "$$folder" \
		&& rm -rf "$$folder"

gen: setup .make/web ## Write what is generated: OpenAPI, web client, layer table, reference pages
	@$(BIN)/python -m tools.gen

docs: setup ## Build the documentation into site/
	@$(BIN)/python -m tools.docs

lock: setup ## Resolve dependencies anew and write requirements.lock
	@$(BIN)/uv lock -q
	@$(BIN)/uv export -q --all-packages --all-groups --all-extras --no-emit-workspace --no-emit-project -o requirements.lock

clean: ## Remove what make made (.venv, .make, builds); data/ stays
	rm -rf .venv .make build site web/node_modules web/dist cloud/edgeflow_cloud/app/console
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache

setup: .make/packages
console: $(CONSOLE)
browser: setup
	@$(BIN)/python -m tools.chromium --fetch
programs: setup
	@$(BIN)/python -m tools.programs
	@$(BIN)/python -m tools.nodered >/dev/null

# uv comes by pip at the version that the lock names, then installs everything else by hash.
.make/locked: requirements.lock
	@$(PYTHON) tools/alone.py $(PYTHON) tools/bootstrap.py

.make/packages: .make/locked $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) tools/alone.py $(BIN)/uv pip install -q --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

# `npm ci` would want even those builds for other platforms that a registry of one's own does not have; this way
# the lock is followed too, its hashes are checked, and it is not written.
.make/web: .make/locked web/package-lock.json
	@echo "Fetching the console's packages…"
	@$(PYTHON) tools/alone.py npm --prefix web install --no-save --ignore-scripts --loglevel=error
	@touch $@

# Types are `make check`'s business: a console that is started need not wait for them.
$(CONSOLE): .make/web $(WEB_SOURCES)
	@echo "Building the console…"
	@cd web && $(PYTHON) ../tools/alone.py node_modules/.bin/vite build --logLevel warn
	@touch $@
