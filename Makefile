# Everything a developer needs. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types unit samples reference bench train exports format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

install: $(VENV)/.installed  ## create .venv and install the project with its development tools

demo: install  ## audit the sample logs: terminal report, and reports/flagship-tax.{html,json}
	$(BIN)/llm-audit analyze sample_logs/ -o reports/flagship-tax.html -o reports/flagship-tax.json

test: lint types unit  ## lint, type-check and test

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: install
	$(BIN)/mypy

unit: install
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

samples: install  ## rebuild sample_logs/ from its seeded script
	$(BIN)/python scripts/make_sample_logs.py

reference: install  ## rebuild docs/cli.md, docs/schemas/ and the tables of docs/formats.md
	$(BIN)/python scripts/build_reference.py
	$(BIN)/python scripts/build_formats.py
	$(BIN)/python scripts/build_schemas.py

bench: install  ## measure speed and memory as ratios (minutes; see docs/performance.md)
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

train: install  ## rebuild the classifier's weights to the byte from DATA
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r scripts/train-requirements.txt
	$(BIN)/python scripts/train.py --data $(DATA)

exports: install  ## check `policy export` with LiteLLM's and RouteLLM's own code, in a throwaway environment
	$(BIN)/python scripts/check_exports.py

format: install  ## format the code and apply safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what the targets above made, except reports
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
