# Everything a developer needs. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
DATA ?= ../shared/data
SECONDS ?= 60
SEED ?= 1
COVERAGE_FLOOR := 95

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types unit coverage fuzz attack sanitize docs samples reference bench train training-data exports focus format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml setup.py constraints.txt $(shell find src -name "*.[ch]")
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m compileall -q src  # pip leaves out what is editable, and some machines forbid it at run time
	touch $@

install: $(VENV)/.installed  ## create .venv and install the project with its development tools

demo: install  ## audit the sample logs, of 1 request in 400: terminal report, and reports/flagship-tax.{html,json}
	$(BIN)/llm-audit analyze sample_logs/ --sampling-rate 0.0025 -o reports/flagship-tax.html -o reports/flagship-tax.json

test: lint types unit  ## lint, type-check and test

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: install
	$(BIN)/mypy

# Files in the order of tests/conftest.py, the slowest first.
SHARED_OUT := --dist loadfile --no-loadscope-reorder
unit: install
	$(BIN)/pytest -n $(WORKERS) $(SHARED_OUT)

coverage: install  ## test, and fail where fewer lines and branches are run than the floor
	$(BIN)/pytest -n $(WORKERS) $(SHARED_OUT) --cov --cov-report=term --cov-fail-under=$(COVERAGE_FLOOR)

fuzz: install  ## damage records and files for SECONDS from SEED, and check that nothing is lost or fatal
	$(BIN)/python scripts/fuzz.py --seconds $(SECONDS) --seed $(SEED)

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r scripts/docs-requirements.txt
	touch $@

docs: $(VENV)/.docs  ## build the documentation site into site/, warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

samples: install  ## rebuild sample_logs/ from its seeded script
	$(BIN)/python scripts/make_sample_logs.py

reference: install  ## rebuild docs/cli.md, docs/schemas/, docs/notebook.ipynb, tables of formats, prices and models
	$(BIN)/python scripts/build_reference.py
	$(BIN)/python scripts/build_formats.py
	$(BIN)/python scripts/build_schemas.py
	$(BIN)/python scripts/build_price_table.py
	$(BIN)/python scripts/build_models.py
	$(BIN)/python scripts/build_notebook.py

bench: install  ## measure speed and memory as ratios (minutes; see docs/performance.md)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

KILLS ?= 60
FLIPS ?= 100
DOCUMENTS ?= 200
attack: install  ## kill runs, damage their cache, spoil their documents, fill their disk (minutes; seeded)
	nice $(BIN)/python scripts/attack.py --kills $(KILLS) --flips $(FLIPS) --documents $(DOCUMENTS)

sanitize: install  ## run the tests of the C extensions with AddressSanitizer and UndefinedBehaviorSanitizer
	$(BIN)/python scripts/sanitize.py

train: training-data install  ## rebuild the classifier's weights to the byte from DATA
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r scripts/train-requirements.txt
	$(BIN)/python scripts/train.py --data $(DATA)

training-data:
	@test -d $(DATA)/routing && test -d $(DATA)/models || { echo 'make train needs DATA=FOLDER with routing/ and models/; the project holds neither, as some of their problems and scores may be trained on but not passed on (sources: docs/classifier.md#model-card).' >&2; exit 2; }

exports: install  ## check `policy export` with LiteLLM's and RouteLLM's own code, in a throwaway environment
	$(BIN)/python scripts/check_exports.py

focus: install  ## check FOCUS files with the FinOps Foundation's validator, in a throwaway environment
	$(BIN)/python scripts/check_focus.py

format: install  ## format the code and apply safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what the targets above made, except reports
	rm -rf $(VENV) build dist site .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
