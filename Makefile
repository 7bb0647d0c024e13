# The two commands of the README are `make repro` and `make test`; `make` alone lists every verb.
# Each sets up its own environment in .venv from the lock files, with nothing but Python 3.11+, make and git.

PYTHON ?= python3
# One peer of `make bench` wants a newer Python than the program: where this one is there, that goal is measured with it.
PYTHON312 ?= python3.12
BIN := .venv/bin
# DVC runs the stages through a shell, which has to find the `foresaid` command of this environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
# By default a folder of the machine that everybody may write to holds pickles that are loaded; ours is inside the project.
export DVC_SITE_CACHE_DIR := $(CURDIR)/.dvc/tmp/site

.DEFAULT_GOAL := help
.PHONY: help repro test test-fast test-later bench fuzz bounds coverage lint format check-pages verify campaign campaign-short lock docs clean

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# DVC runs one stage after another, each in a process that first loads the libraries. So where nothing was made yet, the commands of
# the stages run in the order of the graph, what needs nothing of each other side by side and all laws in one process, and DVC then
# takes the results into its cache and lock as it would its own (`dvc commit`). If one of them fails, nothing is taken. The last line
# makes every stage that is not up to date and says which fails. It asks for all pipelines, of which there is one, since DVC then
# reads dvc.yaml, params.yaml and the lock once: asked for none by name, it reads them twice.
repro: .venv/run.stamp ## set up, then run the whole pipeline on the embedded registry
	@[ -e .dvc/cache/files ] || [ -e build ] || { \
		{ foresaid inputs & foresaid ingest && foresaid database && wait $$!; } && foresaid needs && \
		{ { foresaid study && foresaid capability && foresaid fit; } & foresaid hindcast && wait $$!; } && \
		foresaid freeze && foresaid score && foresaid report && dvc commit --quiet --force; } || wait
	@dvc repro --all-pipelines

test: .venv/dev.stamp ## set up, then lint, type-check and run the tests
	@ruff format --check --quiet . && ruff check --quiet . && mypy --no-error-summary
	@python -m pytest --numprocesses auto --dist loadfile

test-fast: .venv/dev.stamp ## the tests of the lower rooms that run no stage, read no upstream file and take no seconds
	@python -m pytest -q -m "not slow" --numprocesses auto --dist loadfile tests/*.py $(addprefix tests/,scoring sources registry fitting forecasting ledger evaluation)

fuzz: .venv/dev.stamp ## ten thousand damaged input files: no traceback, no partial load, nothing rewritten (three minutes)
	@FORESAID_FUZZ=10000 python -m pytest tests/registry/test_damaged_files.py -q

test-later: .venv/dev.stamp ## the tests as if DAYS=400 had passed, since none may rest on the day of its making (a quarter of an hour)
	@python -m tests.later $(or $(DAYS),400) --numprocesses auto --dist loadfile

bounds: .venv/dev.stamp ## the tests of the compiled kernels with every index of an array checked (three minutes)
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$$(mktemp -d) python -m pytest -q tests/fitting tests/studies/model_selection \
		tests/studies/held_out_families --numprocesses auto --dist loadfile

lint: .venv/dev.stamp ## what `make test` checks before the tests
	@ruff format --check . && ruff check . && mypy

format: .venv/dev.stamp ## rewrite the code in the house format
	@ruff format . && ruff check --fix .

check-pages: .venv/dev.stamp ## open the rendered site in chromium: errors, links, cut text, axe, markup (minutes)
	@FORESAID_SITE=reports/site python -m pytest -q tests/report/test_pages_in_a_browser.py

verify: .venv/run.stamp ## check the ledger: every entry, its name, its place and the root
	@foresaid verify

coverage: .venv/dev.stamp ## count how often the intervals of every law hold on simulated rows, for a quarter of an hour
	@python -m tests.coverage_study 300

campaign: .venv/dev.stamp ## attack the ledger with everything, for an hour or more
	@python -m tests.attacks --long

campaign-short: .venv/dev.stamp ## the same attacks, sampled, in minutes
	@python -m tests.attacks --short

bench: .venv/bench.stamp ## measure every speed goal beside the peers; writes docs/speed.md (BENCH="--quick --goal 4")
	@python -m benchmarks $(BENCH)
ifeq (,$(findstring --goal,$(BENCH)))
	@if python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' && $(PYTHON312) -c '' 2>/dev/null; then \
		$(MAKE) --no-print-directory .venv/312.stamp && .venv/312/bin/python -m benchmarks --goal 7 $(BENCH); fi
endif

lock: .venv/dev.stamp ## solve the dependencies of pyproject.toml anew
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra run pyproject.toml -o requirements.lock
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra run --extra cluster --extra opentimestamps --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra run --extra cluster --extra opentimestamps --extra dev --extra peers \
		-c requirements-dev.lock pyproject.toml -o requirements-bench.lock
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		-c requirements.lock pyproject.toml -o requirements-light.lock
	@uv pip compile -q --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra run --extra docs -c requirements-dev.lock pyproject.toml -o requirements-docs.lock

docs: .venv/docs.stamp ## build the documentation as a site into build/docs, warnings as errors
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

clean: ## remove everything derived; the record stays
	@rm -rf build reports/site .dvc/cache .dvc/tmp .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/run.stamp: requirements.lock pyproject.toml
	@echo "setting up .venv (once; about two minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/foresaid setup
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.venv/docs.stamp: .venv/run.stamp requirements-docs.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

.venv/bench.stamp: .venv/dev.stamp requirements-bench.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

.venv/312.stamp: .venv/bench.stamp
	@$(PYTHON312) -m venv .venv/312
	@.venv/312/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@.venv/312/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
