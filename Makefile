# What a fresh clone needs: Python 3.11 or later, git and make. Everything goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := xero,pipedrive,notices,dev
# Two workers: enough to use a small machine, few enough not to starve the sandbox's servers.
WORKERS ?= 2

.PHONY: demo test faults faults-full year check bench bench-page northwind northwind-taxes clean install
.DEFAULT_GOAL := test

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "syncjob needs Python 3.11 or later: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/syncjob demo

test: $(STAMP)
	$(BIN)/python -m pytest -rs -n $(WORKERS)

# What nothing may break: every lane of the fault harness, in about five minutes (docs/faults.md).
faults: $(STAMP)
	$(BIN)/python -m tests.faults ci --workers $(WORKERS)

# The same at full length, and the slow tests, which takes hours; one that was interrupted goes on
# where it stopped, until syncjob/ or the harness changes.
faults-full: $(STAMP)
	$(BIN)/python -m tests.faults full --workers $(WORKERS)

# Whole years of notices in four time zones, each day against the model: about a minute each.
year: $(STAMP)
	SYNCJOB_YEARS=2 $(BIN)/python -m pytest -n $(WORKERS) tests/notices

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What a batch costs, as ratios: half an hour on a quiet machine (QUICK=1: some minutes).
bench: $(STAMP)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# The same, and its tables and picture go into docs/performance.md.
bench-page: $(STAMP)
	$(BIN)/python -m benchmarks --page

# 830 real orders through the real commands, judged from the servers alone (where the data is).
northwind: $(STAMP)
	$(BIN)/python -m tests.northwind_run

# The same orders under four kinds of tax: inside the price, on top, listed by state, exports.
northwind-taxes: $(STAMP)
	$(BIN)/python -m tests.engine.northwind_taxes

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf build dist demo *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
