# The commands of this repository. Each one prepares what it needs, so the first call on a new machine takes a minute longer.
#   make demo    run the e-mail assistant: no key, no network, real files      (ARGS="..." adds options)
#   make test    run the tests                                                (ARGS="-k interrupt")
#   make check   everything CI runs: format, lint, types, layers, tests with coverage, the examples in the documents
#   make pictures  draw the pictures of the documents anew
#   make bench   compare with langgraph, side by side, in an environment of its own
#   make fix     format, and repair what the linter can repair
#   make clean   remove what these commands made

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
CODE := $(wildcard graphkit checkpointers examples benchmarks tests docs/pictures)
PYTEST := $(BIN)/python -m pytest -q -n auto
# What tells nothing about the library's coverage is not slowed down by measuring it.
BESIDE := tests/examples tests/unit/test_benchmarks.py
# -qq: pip's errors are shown, its advice is not.
PIP := -m pip install -qq --disable-pip-version-check --no-input

# The newest Python that really starts: a name on the PATH may be an empty shim.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test check pictures bench fix clean

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))

define environment
	@test -n "$(strip $(PYTHON))" || { echo "graphkit needs Python 3.11 or newer: make $(or $(MAKECMDGOALS),test) PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Preparing $(1) (about a minute, only after a change of $(2)) ..."
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || { rm -rf $(1); exit 1; }
endef

$(READY): pyproject.toml
	$(call environment,$(VENV),pyproject.toml)
	@$(BIN)/python $(PIP) -e '.[dev]'
	@touch $@

$(BENCH_READY): pyproject.toml benchmarks/requirements.txt
	$(call environment,$(BENCH_VENV),its requirements)
	@$(BENCH_VENV)/bin/python $(PIP) -e . -r benchmarks/requirements.txt
	@touch $@

demo: $(READY)
	@$(BIN)/python -m examples.email_assistant --model rules --decisions examples/email_assistant/demo.toml $(ARGS)

test: $(READY)
	@$(PYTEST) $(ARGS)

check: $(READY)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports --no-cache --no-logo
	@rm -f .coverage .coverage.*
	@$(PYTEST) --cov --cov-report= $(addprefix --ignore=,$(BESIDE)) $(ARGS)
	@$(PYTEST) $(BESIDE) $(ARGS)
	@echo "Coverage of core, which has to be complete:"
	@$(BIN)/coverage report --include='graphkit/core/*' --fail-under=100
	@echo "Coverage of the rest:"
	@$(BIN)/coverage report --omit='graphkit/core/*' --fail-under=95

pictures: $(READY)
	@$(BIN)/python -m docs.pictures.make

bench: $(BENCH_READY)
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

fix: $(READY)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

clean:
	@rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	@rm -rf build dist *.egg-info
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
