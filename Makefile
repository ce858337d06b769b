# Two commands do everything on a fresh machine: `make demo` and `make test`.
# All paths are relative, so that a checkout in a folder with spaces works.
PYTHON ?= python3
BIN := .venv/bin

# Where this is set, each of some hundred processes compiles all of the source anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test bench soak lint docs clean help system-deps

help:
	@echo "make demo   build the synthetic courier company, replay the leaks, write out/replay.html"
	@echo "make test   the demo, then every test (SQLite and a real PostgreSQL)"
	@echo "make bench  measure, with peers in the same run; writes docs/performance.md"
	@echo "make docs   write anew what tools make: docs/reference, the table of docs/threat-model.md"
	@echo "make system-deps   Chromium and Apache's mod_auth_cas, for the tests that use them (as root, on Debian)"
	@echo "make soak   the long runs (crash, threads, generated policies)"

.venv/.demo: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "acl_engine needs Python 3.11 or newer: set PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[server]'
	@touch $@

.venv/.dev: .venv/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# casbin's two distributions install into the same folder: the older one gets an environment of its own.
.venv/casbin-1.43/.made: .venv/.dev
	$(PYTHON) -m venv .venv/casbin-1.43
	.venv/casbin-1.43/bin/python -m pip install --quiet --disable-pip-version-check casbin==1.43.0
	@touch $@

# The engines that ours is measured against; oso wants an older cffi than ours, so apart too.
# One that cannot be installed is reported as absent.
.venv/peers/.made: .venv/.demo
	$(PYTHON) -m venv .venv/peers
	-.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check '.[bench]'
	@touch $@

test soak: export ACL_CASBIN_143 := $(CURDIR)/.venv/casbin-1.43/bin/python

demo: .venv/.demo
	@mkdir -p out
	$(BIN)/python -m acl_engine replay --report out/replay.html --json out/replay.json

test: demo .venv/.dev .venv/casbin-1.43/.made
	$(BIN)/python -m pytest -n 2 --dist loadfile

system-deps:
	@sh tools/system_deps.sh

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/.dev
	@for tool in tools/*_reference.py; do $(BIN)/python $$tool || exit 1; done

bench: .venv/.dev .venv/peers/.made
	ACL_BENCH_PEERS=.venv/peers/bin/python $(BIN)/python -m bench

soak: .venv/.dev .venv/casbin-1.43/.made
	$(BIN)/python -m pytest tests/soak -o addopts= --strict-markers -m soak

clean:
	rm -rf .venv out build
