# `make demo` and `make test` are the two commands of the README. Each makes its own virtual environment
# first; nothing else has to be installed by hand.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
BIN := .venv/bin
STAMP := .venv/installed.stamp
OUT ?= demo-output

# torch gets all cores; the many small matrices of the mixed models are slower on several threads than on one.
# macOS has no nproc.
export OMP_NUM_THREADS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
export OPENBLAS_NUM_THREADS ?= 1

# Tests marked `real` run where the folder of shared real data stands beside the checkout.
DATA := $(wildcard ../shared/data)
ifneq ($(DATA),)
export BUDWOOD_DATA ?= $(abspath $(DATA))
endif

.PHONY: help install demo test test-all lint format types check lowest site hooks

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(STAMP) ## the virtual environment .venv with everything in it

# Debian's python3 has no ensurepip, so the environment is made without pip and filled by the pip outside.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Budwood needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP) ## a made-up species and population, its prediction and report, in OUT (demo-output)
	$(BIN)/budwood demo --out $(OUT)

# One process for each core, and one thread in each of them.
test: $(STAMP) ## the default test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto

test-all: $(STAMP) ## the default suite and the slow tests
	$(BIN)/python -m pytest -q -m "not gpu"

lint: $(STAMP) ## style and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## rewrite in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## types, strict in genomics, stats, artifacts and config
	$(BIN)/mypy

check: lint types test ## all that a change must pass

lowest: $(STAMP) ## the package with the lowest versions of its dependencies (downloads gigabytes)
	$(BIN)/python tools/lowest_versions.py --pip-python $(PYTHON)

site: $(STAMP) ## the documentation site, in site/
	$(BIN)/python tools/build_site.py

hooks: $(STAMP) ## run lint and types before every commit
	$(BIN)/pre-commit install
