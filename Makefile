# Everything happens in .venv; it is made again only when what it is made from changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8866
# Tests that compute in this process run side by side, with a thread each; those that start processes share the cores by
# file, but for those that hold a time to a bound, which run alone.
SIDE_BY_SIDE := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8

.PHONY: help environment app test test-fast lint docs

help:
	@echo "make app          open the dashboard at http://localhost:$(PORT)"
	@echo "make test         run the tests, but for those that take minutes"
	@echo "make test-fast    run those that take less than three minutes in all: physics and small units"
	@echo "make lint         check style and types"
	@echo "make docs         build the documentation into build/docs"
	@echo "make environment  install what is needed into $(VENV)"

environment: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mlxc needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[app,deepchem,docs,onnx,train,test]'
	@touch $@

app: environment
	@echo "The dashboard is at http://localhost:$(PORT) - stop it with Ctrl-C."
	$(BIN)/mlxc app --port $(PORT) --no-browser

test: environment
	$(SIDE_BY_SIDE) -m "not slow and not process and not browser"
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile -m "not slow and not timed and (process or browser)"
	$(BIN)/python -m pytest -m "not slow and timed"

test-fast: environment
	$(SIDE_BY_SIDE) --hypothesis-profile fast -m "not slow and not process and not browser and not timed and not thorough"

lint: environment
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: environment
	$(BIN)/python -m sphinx --fail-on-warning --keep-going docs build/docs
	@echo "The documentation is at build/docs/index.html"
