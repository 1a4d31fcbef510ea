# The two commands of the README are `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
WORKERS ?= 2

.PHONY: demo test test-all unit gpu format lint types contracts fix system

demo: $(STAMP)
	$(BIN)/python tools/demo.py

test: format lint types contracts unit

unit: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m "not slow and not gpu" --cov --cov-report=term:skip-covered

test-all: format lint types contracts
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m "not gpu"

gpu: $(STAMP)
	$(BIN)/pytest -m gpu

format: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python

contracts: $(STAMP)
	$(BIN)/lint-imports

fix: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system:
	@$(PYTHON) tools/check_system.py

$(STAMP): pyproject.toml | system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(STAMP)
