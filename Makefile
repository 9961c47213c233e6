# Everything runs from this folder, whatever folder make is called from.
ROOT := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
ifneq ($(words $(ROOT)),1)
$(error make can't handle a path with spaces: move the project to a folder without them)
endif
SHELL := /bin/sh
# Where an environment forbids it, each worker would compile all tests again: 10 s of each run.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: help install demo test check e2e soak fuzz mutants bench schema graphiql lock clean

# The first interpreter that is new enough and can make a virtual environment. PYTHON=... overrides.
CANDIDATES := python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3
USABLE := import sys, venv, ensurepip; assert sys.version_info >= (3, 11)
PYTHON ?= $(shell for p in $(CANDIDATES); do "$$p" -c '$(USABLE)' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
BIN := $(ROOT).venv/bin
PIP := "$(BIN)/python" -m pip install --quiet --disable-pip-version-check
# uv installs the lock in seconds; where it cannot (an index that only pip knows), pip does.
UV := uv==0.13.9
install_lock = { $(PIP) '$(UV)' && "$(BIN)/uv" pip install -q --compile-bytecode --python "$(BIN)/python" --require-hashes -r $(1); } 2>/dev/null || $(PIP) --require-hashes -r $(1)
STAMP := $(ROOT).venv/installed
PEERS := $(ROOT).venv/peers-installed

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' "$(ROOT)Makefile"

$(STAMP): $(ROOT)requirements.lock $(ROOT)pyproject.toml
	@test -n "$(PYTHON)" || { echo 'crm-graph needs Python 3.11 or newer with the venv module (Debian: python3-venv). To choose one: make PYTHON=/path/to/python3'; exit 1; }
	@test -w "$(ROOT)" || { echo 'cannot install into $(ROOT).venv: the folder is not writable by this user. Clone the project into a folder of your own.'; exit 1; }
	@echo 'installing into $(ROOT).venv ...'
	@"$(PYTHON)" -m venv --clear "$(ROOT).venv"
	@cd "$(ROOT)" && $(call install_lock,requirements.lock)
	@cd "$(ROOT)" && $(PIP) --no-deps --no-build-isolation -e .
	@touch "$(STAMP)"

# Node, and what draws plots. If they can't be installed, the benchmarks and tests that need them say what they left out.
$(PEERS): $(STAMP) $(ROOT)requirements-peers.lock
	@echo 'installing what the benchmarks and the end-to-end tests need ...'
	@cd "$(ROOT)" && { $(call install_lock,requirements-peers.lock); } && touch "$(PEERS)" \
		|| echo 'could not install requirements-peers.lock; going on without it'

install: $(STAMP)  ## set up .venv

demo: $(STAMP)  ## set everything up, post signed sample webhooks, show what they changed, serve
	@cd "$(ROOT)" && exec "$(BIN)/crm-graph" demo

test: $(STAMP)  ## run the tests, on the embedded PostgreSQL or on the server that PG_HOST names
	@cd "$(ROOT)" && exec "$(BIN)/python" -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP)  ## check lint, types, import contracts and schema drift
	@cd "$(ROOT)" && "$(BIN)/ruff" check --output-format concise . && "$(BIN)/ruff" format --check . && "$(BIN)/mypy" && "$(BIN)/lint-imports"
	@cd "$(ROOT)" && "$(BIN)/crm-graph" schema | diff -u schema.graphql - || { echo 'schema.graphql is stale: run make schema'; exit 1; }
	@cd "$(ROOT)" && "$(BIN)/crm-graph" schema --events | diff -u events.schema.json - || { echo 'events.schema.json is stale: run make schema'; exit 1; }
	@cd "$(ROOT)" && exec "$(BIN)/python" -m pytest -q -n 0 tests/project/test_schema_drift.py

e2e: $(PEERS)  ## test processes as operators run them, with other programs, and every command of the guides (downloads npm packages once)
	@cd "$(ROOT)" && exec "$(BIN)/python" -m pytest -q -n 0 tests/e2e $(ARGS)

soak: $(STAMP)  ## kill servers, workers and PostgreSQL under load: nothing may be lost or applied twice (SOAK_SECONDS=60)
	@cd "$(ROOT)" && exec "$(BIN)/python" -m pytest -q -n 0 tests/soak $(ARGS)

fuzz: $(STAMP)  ## random queries on both engines, compared; the worst text for each pattern; upgrades from every revision; the costliest queries (FUZZ_EXAMPLES=3000, COST_SECONDS=15)
	@cd "$(ROOT)" && FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-3000} "$(BIN)/python" -m pytest -q -n 2 tests/graphql/engine/test_compiler_property.py tests/project/test_patterns.py tests/project/test_linear_time.py tests/domain/test_state_machine.py tests/database/test_upgrades.py $(ARGS)
	@cd "$(ROOT)" && exec "$(BIN)/python" -m bench.cost --search $${COST_SECONDS:-15}

mutants: $(PEERS)  ## change the guarding code in 150 places: its tests must notice 95% (ARGS='--seed 7 --count 20 --only egress')
	@cd "$(ROOT)" && exec "$(BIN)/python" -m tests.mutants $(ARGS)

bench: $(PEERS)  ## measure against PostGraphile, the usual way, n8n and pgbench (ARGS=--quick for a first look)
	@cd "$(ROOT)" && exec "$(BIN)/python" -m bench $(ARGS)

schema: $(STAMP)  ## write schema.graphql and events.schema.json
	@cd "$(ROOT)" && "$(BIN)/crm-graph" schema > schema.graphql.new && mv schema.graphql.new schema.graphql
	@cd "$(ROOT)" && "$(BIN)/crm-graph" schema --events > events.schema.json.new && mv events.schema.json.new events.schema.json

graphiql: $(PEERS)  ## fetch GraphiQL's files from npm again, as pinned in packages.json beside them
	@cd "$(ROOT)" && exec "$(BIN)/python" -m bench.graphiql_files

lock: $(STAMP)  ## update the lock files (versions and hashes, no addresses)
	@cd "$(ROOT)" && $(PIP) '$(UV)' && "$(BIN)/uv" pip compile pyproject.toml --extra dev --universal \
		--generate-hashes --python-version 3.11 --upgrade --quiet --custom-compile-command 'make lock' -o requirements.lock
	@cd "$(ROOT)" && "$(BIN)/uv" pip compile pyproject.toml --extra peers --constraint requirements.lock --universal \
		--generate-hashes --python-version 3.11 --upgrade --quiet --custom-compile-command 'make lock' -o requirements-peers.lock

clean:  ## remove the virtual environment and caches, not the data
	@cd "$(ROOT)" && rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
