# Two commands do everything: `make demo` and `make test`. Each makes .venv and installs what it needs; a second call is quick.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto

# CPU=1 takes the CPU build of PyTorch, which is a small part of the download: make demo CPU=1
define TORCH
	@echo "Installing attseg and PyTorch into .venv. With PyTorch's CUDA build, the default on Linux, that is 5.7 GB on disk;"
	@echo "'make $(firstword $(MAKECMDGOALS)) CPU=1' takes the CPU build, which is far smaller. After this, no network is needed."
	$(if $(CPU),$(BIN)/python -m pip install --progress-bar on torch torchvision --index-url https://download.pytorch.org/whl/cpu)
endef

.PHONY: demo test hint lint types quick fast compile soak docs site wheel clean

demo: .venv/ready
	$(BIN)/attseg demo --out demo

test: hint lint types fast compile

hint:
	@echo "Lint, types and every test: tens of minutes on two cores. 'make quick' takes two to three minutes."

# While you work, about two minutes on two free cores: no test that is marked slow (half a second of processor time and more),
# and without the shape checker.
quick: .venv/ready-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m "not slow and not compile and not browser and not soak"

# One thread a test process: otherwise the processes fight over the cores.
fast: .venv/ready-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m "not compile and not soak" --jaxtyping-packages=attseg,shapes.checked

# torch.compile refuses code under the shape checker, so these run without it.
compile: .venv/ready-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m compile tests

# Kills, floods and long runs, for as long as they take; not part of `make test`.
soak: .venv/ready-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -m soak --timeout 7200 tests

# The parts of pages that follow from the code and from records of runs; a test says when they are behind.
docs: .venv/ready-dev
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/results_page.py

# The documentation as a site in build/site; broken links end it with an error. It opens from the disk; search needs a server, such as
# `python -m http.server -d build/site`.
site: .venv/ready-docs
	$(BIN)/python docs/stage_site.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Wheel and sdist in dist/, checked as an index of packages would.
wheel: .venv/ready-release
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/ready-dev
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/ready: pyproject.toml | .venv/bin/python
	$(TORCH)
	$(BIN)/python -m pip install --progress-bar on --editable .
	touch $@

.venv/ready-dev: pyproject.toml | .venv/bin/python
	$(TORCH)
	$(BIN)/python -m pip install --progress-bar on --editable ".[dev]"
	touch $@ .venv/ready

.venv/ready-docs: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@ .venv/ready

.venv/ready-release: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet ".[release]"
	touch $@

clean:
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache
