# The front door. `make book` and `make test` are all that a fresh machine needs; `make help` lists the rest.
# What depends on what, and on which run, is in the Snakefile: these targets set up the environment and call it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env book playground pdf check test browser paper paper-status bench constraints clean force

# Which runs: `make book` takes recorded or smoke, `make paper` and `make paper-status` take paper or cpu.
ifneq ($(filter paper paper-status,$(MAKECMDGOALS)),)
PRESET ?= paper
PRESETS := paper cpu
else
PRESET ?= recorded
PRESETS := recorded smoke
endif
$(if $(filter $(PRESET),$(PRESETS)),,$(error PRESET=$(PRESET) is not known here; it is one of: $(PRESETS)))

# `make paper` trains PACK runs at once on each GPU; CUDA_VISIBLE_DEVICES hides GPUs from it. The CPU counts as one.
PACK ?= 1
GPUS = $(shell (echo "$${CUDA_VISIBLE_DEVICES-$$(nvidia-smi --query-gpu=index --format=csv,noheader 2>/dev/null)}" \
	| tr , '\n' | grep '[0-9]' || echo CPU) | wc -l)
$(if $(shell [[ "$(PACK)" =~ ^[1-9][0-9]*$$ ]] && echo yes),,$(error PACK=$(PACK) is no number of runs; say 1, 2, 3, ...))

PY := .venv/bin/python
# Python may keep what it compiles in .venv, whatever the shell says: every later start is several times faster.
export PYTHONDONTWRITEBYTECODE :=
# After the set-up nothing needs a network or a writable home: where there is none, caches go to .cache.
export XDG_CACHE_HOME := $(shell d="$${XDG_CACHE_HOME:-$${HOME:-/}/.cache}"; \
	if mkdir -p "$$d" 2>/dev/null && [ -w "$$d" ]; then echo "$$d"; else echo "$(CURDIR)/.cache"; fi)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.stamp  ## create .venv from pyproject.toml and constraints.txt (PYTHON=... chooses the interpreter: 3.11 to 3.14)

book: .venv/.stamp  ## build the report in _build/html from the recorded runs; PRESET=smoke trains everything first, at toy size
	@$(PY) -m snakemake book --config preset=$(PRESET)
	@echo "The report is _build/html/index.html"

pdf: browser book  ## the report as one file to print, _build/tvae.pdf
	@echo "Compiling the book on one page"; mkdir -p _build/logs
	@TVAE_PRESET=$(PRESET) .venv/bin/jupyter-book build book --config _config.yml --path-output . --builder custom \
		--custom-builder singlehtml -W -n --keep-going -q > _build/logs/pdf.log 2>&1 || { tail -n 12 _build/logs/pdf.log; exit 1; }
	@$(PY) scripts/print_book.py _build/singlehtml/index.html _build/tvae.pdf

playground: .venv/.stamp  ## a playground with your own model: make playground WEIGHTS=runs/.../weights.safetensors
	@$(PY) -m tvae playground --page _build/playground $(if $(WEIGHTS),--own "$(WEIGHTS)")

check: .venv/.stamp  ## in half a minute: format, lint, types, who imports whom, dependencies, and the fast tests
	@$(PY) -m ruff format --quiet --check .
	@$(PY) -m ruff check --quiet .
	@.venv/bin/ty check --quiet
	@mkdir -p _build && .venv/bin/lint-imports --no-logo >_build/imports.log || { cat _build/imports.log; exit 1; }
	@.venv/bin/deptry . 2>/dev/null || .venv/bin/deptry .
	@$(PY) -m pytest -q -n auto -m "not slow and not browser"

test: browser  ## all of it: every notebook and the book, then every test (browser tests open the book)
	@$(MAKE) --no-print-directory book
	@$(PY) scripts/check_book.py _build/html
	@# One worker more than cores: the tests in a browser wait for it half of their time.
	@$(PY) -m pytest -q -n $$($(PY) -c "import os; print(1 + os.cpu_count())") --dist loadfile

browser: .venv/.stamp  ## Chromium for the tests: the machine's own, else a download
	@$(PY) scripts/get_browser.py

# What training leaves is whole or not there, so a metrics.json that it wrote after snakemake was killed counts.
paper: .venv/.stamp  ## train every run of preset paper that is not done (GPUs; PRESET=cpu: a laptop), refresh record and report; PACK=3: three at once on each GPU
	@$(PY) -m snakemake record --config preset=$(PRESET) --resources gpu=$$(($(GPUS) * $(PACK))) --ignore-incomplete
	@$(PY) -m snakemake book --config preset=recorded
	@$(PY) scripts/save_figures.py figures book/executed/*.ipynb
	@echo "The record is figures/results.json, the report _build/html/index.html"

paper-status: .venv/.stamp  ## how far the runs of `make paper` are, and how long the rest will take (PRESET=cpu likewise)
	@$(PY) -m tvae status $(PRESET)

bench: .venv/.stamp  ## measure training and decoding speed beside the machine's own peak, into figures/bench.json
	@$(PY) -m tvae bench

# Resolved without find-links, so that no build of one machine (torch+cpu) enters the list. --upgrade moves the pins.
constraints:  ## resolve constraints.txt again for a changed pyproject.toml, keeping the versions that still serve (needs uv)
	@echo 'torch==2.13.0' | env -u UV_FIND_LINKS uv pip compile pyproject.toml --all-extras --universal \
		--constraints /dev/stdin --no-annotate --no-header --quiet --output-file constraints.txt >/dev/null

clean:  ## remove what `make book` makes; .venv, the record, and the runs of cpu and paper stay
	rm -rf _build book/executed runs/smoke .snakemake .cache .pytest_cache .ruff_cache .hypothesis

# With PYTHON=... always looked at: it may be another one than last time.
.venv/.stamp: pyproject.toml constraints.txt $(if $(PYTHON),force)
	@bash scripts/make_env.sh "$(PYTHON)"

force:
