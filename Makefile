# Everything here needs python3 (3.11 or newer), make and a package index, nothing else.
# `make demo` and `make test` set themselves up; the targets that name Kafka also need java and mvn.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
ARGS   ?=

# Every package comes by hash. sendwatch itself is linked, not copied; its build backend is in the locks too.
INSTALL = $(PIP) install --quiet --require-hashes --requirement
LINK    = $(PIP) install --quiet --no-deps --no-index --no-build-isolation --editable .

LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	pyproject.toml --group build --extra demo --extra desk

.DEFAULT_GOAL := help
.PHONY: help demo test test-kafka test-long test-browser lint types lock dashboards asyncapi bench scrape-cost rule-costs profile clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.stamp ## the whole of it on this machine, no Kafka needed (ARGS='--sends 20000 --exit')
	@$(BIN)/sendwatch demo $(ARGS)

test: $(VENV)/.stamp-dev ## the tests, against the embedded broker (ARGS are pytest's)
	@$(BIN)/pytest $(ARGS)

test-kafka: $(VENV)/.stamp-dev ## the live tests again, against a real Kafka started for them (java, mvn)
	@$(BIN)/pytest --broker=kafka -m 'not long' tests/live tests/test_golden.py $(ARGS)

test-long: $(VENV)/.stamp-dev ## the tests that take minutes, against a real Kafka (java, mvn)
	@$(BIN)/pytest --broker=kafka -m long $(ARGS)

test-browser: $(VENV)/.stamp-dev ## the desk's page, in Debian's Chromium (chromium, a font with Chinese)
	@$(BIN)/pytest -m browser tests/browser $(ARGS)

lint: $(VENV)/.stamp-dev ## style and common mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.stamp-dev ## mypy, strict
	@$(BIN)/mypy

dashboards: $(VENV)/.stamp-dev ## write the dashboards' JSON from their code
	@PYTHONPATH=grafana $(BIN)/python -m boards

# Node's packages come by hash too: tests/asyncapi/package-lock.json.
ASYNCAPI := .cache/asyncapi

asyncapi: $(ASYNCAPI)/.stamp ## the published document by AsyncAPI's own parser (node, npm)
	@NODE_PATH=$(ASYNCAPI)/node_modules node tests/asyncapi/check.cjs deploy/schemas/asyncapi.json

$(ASYNCAPI)/.stamp: tests/asyncapi/package.json tests/asyncapi/package-lock.json
	@mkdir -p $(ASYNCAPI) && cp $^ $(ASYNCAPI)
	@npm ci --prefix $(ASYNCAPI) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

bench: $(VENV)/.stamp-dev ## how fast the hot path is on this machine
	@PYTHONPATH=tests:tests/live $(BIN)/python -m bench $(ARGS)

scrape-cost: $(VENV)/.stamp-dev ## what 200 scrapes a second take from a worker
	@PYTHONPATH=tests:tests/live $(BIN)/python -m bench.scrapes

rule-costs: $(VENV)/.stamp-dev ## what each rule costs, over the benchmark's traffic
	@PYTHONPATH=tests:tests/live $(BIN)/python -m bench.rule_costs

profile: $(VENV)/.stamp-dev ## where the time of a send goes, over the benchmark's traffic
	@PYTHONPATH=tests:tests/live $(BIN)/python -m bench.profile $(ARGS)

lock: $(VENV)/.stamp-dev ## remake both locks from pyproject.toml, at the newest versions allowed
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove what `make` and the tools made
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sendwatch needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment (on Debian: apt-get install python3-venv)" >&2; exit 1; }

$(VENV)/.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) from requirements.lock" >&2
	@$(INSTALL) requirements.lock
	@$(LINK)
	@touch $@

# The larger lock holds the smaller one, at the same versions.
$(VENV)/.stamp-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) from requirements-dev.lock" >&2
	@$(INSTALL) requirements-dev.lock
	@$(LINK)
	@touch $@ $(VENV)/.stamp
