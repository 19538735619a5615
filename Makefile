.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(VENV)/installed ## make .venv with the package and its tools

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: install ## study ten synthetic tasks in 55 short runs, then search for an auxiliary (minutes)
	$(BIN)/python train.py experiment=demo_sweep
	$(BIN)/python train.py -m experiment=demo_recommend main=syn_pos 'aux=[syn_chu,syn_key,syn_mwe,syn_ccg]' budget=0.5

test: install ## run the fast tests (minutes)
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: install ## run all tests, the slow ones included
	$(BIN)/python -m pytest -n 2 --dist worksteal -m ''

$(LOWEST)/installed: pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@

test-lowest: $(LOWEST)/installed ## run the fast tests with the oldest versions that pyproject.toml allows (8 GB)
	$(LOWEST)/bin/python -m pytest -n 2 --dist worksteal -W default tests/unit tests/contracts tests/golden

test-cluster: install ## run a sweep through joblib, a real Slurm (root; apt: slurmctld slurmd munge) and Ray
	$(BIN)/python -m pip install --quiet --editable '.[dev,joblib,submitit,ray]'
	$(BIN)/python -m pytest -m '' tests/cluster

check: install ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

data: install ## fetch and check the real corpora (or find them in MTL_BENCH_MIRROR)
	$(BIN)/mtl-bench fetch

bench: install ## measure steps, optimiser, evaluation, memory, sweeps, encoders, peers (an hour, idle machine)
	$(BIN)/python -m benchmarks

figures: install ## regenerate figures and tables of docs/ from result sets (half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python docs/regenerate.py

clean: ## remove the environment and caches; runs are kept
	rm -rf $(VENV) $(LOWEST) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build

.PHONY: help install demo test test-all test-lowest test-cluster check data bench figures clean
