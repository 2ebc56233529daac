# The front door. `make book` and `make test` are all that a fresh machine needs; `make help` lists the rest.
# What depends on what, and on which run, is in the Snakefile: these targets set up the environment and call it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env book pdf check test browser paper paper-status bench constraints clean

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
# The first interpreter that runs (a pyenv shim may exist and not run) and is 3.11 or 3.12; PYTHON=... overrides.
PYTHON ?= $(shell for p in $(PY) python3.11 python3.12 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$p && break; done)
# Python may keep what it compiles in .venv, whatever the shell says: every later start is several times faster.
export PYTHONDONTWRITEBYTECODE :=
# After the set-up nothing needs a network or a writable home: where there is none, caches go to .cache.
export XDG_CACHE_HOME := $(shell d="$${XDG_CACHE_HOME:-$${HOME:-/}/.cache}"; \
	if mkdir -p "$$d" 2>/dev/null && [ -w "$$d" ]; then echo "$$d"; else echo "$(CURDIR)/.cache"; fi)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.stamp  ## create .venv from pyproject.toml and constraints.txt (PYTHON=... chooses the interpreter, 3.11 or 3.12)

book: .venv/.stamp  ## build the report in _build/html from the recorded runs; PRESET=smoke trains everything first, at toy size
	@$(PY) -m snakemake book --config preset=$(PRESET)
	@echo "The report is _build/html/index.html"

pdf: browser book  ## the report as one file to print, _build/tvae.pdf
	@echo "Compiling the book on one page"; mkdir -p _build/logs
	@TVAE_PRESET=$(PRESET) .venv/bin/jupyter-book build book --config _config.yml --path-output . --builder custom \
		--custom-builder singlehtml -W -n --keep-going -q > _build/logs/pdf.log 2>&1 || { tail -n 12 _build/logs/pdf.log; exit 1; }
	@$(PY) scripts/print_book.py _build/singlehtml/index.html _build/tvae.pdf

check: .venv/.stamp  ## in half a minute: format, lint, types, who imports whom, dependencies, and the fast tests
	@$(PY) -m ruff format --quiet --check .
	@$(PY) -m ruff check --quiet .
	@.venv/bin/ty check --quiet
	@.venv/bin/lint-imports --no-logo >_build/imports.log || { cat _build/imports.log; exit 1; }
	@.venv/bin/deptry . 2>/dev/null || .venv/bin/deptry .
	@$(PY) -m pytest -q -n auto -m "not slow and not browser"

test: browser  ## all of it: every notebook and the book, then every test (browser tests open the book)
	@$(MAKE) --no-print-directory book
	@$(PY) scripts/check_book.py _build/html
	@$(PY) -m pytest -q -n auto --dist loadfile

browser: .venv/.stamp  ## Chromium for the tests: the machine's own, else a download
	@$(PY) scripts/get_browser.py

# What training leaves is whole or not there, so a metrics.json that it wrote after snakemake was killed counts.
paper: .venv/.stamp  ## train every run of preset paper that is not done (GPUs; PRESET=cpu: a laptop), refresh record and report; PACK=3: three at once on each GPU
	@$(PY) -m snakemake record --config preset=$(PRESET) --resources gpu=$$(($(GPUS) * $(PACK))) --ignore-incomplete
	@$(PY) -m snakemake book --config preset=recorded
	@$(PY) scripts/save_figures.py figures book/executed/*.ipynb
	@echo "The record is figures/results.json, the report _build/html/index.html"

paper-status: .venv/.stamp  ## how far the runs of `make paper` are, and how long the rest will take (PRESET=cpu likewise)
	@$(PY) -m tvae.runs $(PRESET)

bench: .venv/.stamp  ## measure training and decoding speed beside the machine's own peak, into figures/bench.json
	@$(PY) -m tvae.bench

# Resolved without find-links, so that no build of one machine (torch+cpu) enters the list. --upgrade moves the pins.
constraints:  ## resolve constraints.txt again for a changed pyproject.toml, keeping the versions that still serve (needs uv)
	@echo 'torch==2.13.0' | env -u UV_FIND_LINKS uv pip compile pyproject.toml --all-extras --universal \
		--constraints /dev/stdin --no-annotate --no-header --quiet --output-file constraints.txt >/dev/null

clean:  ## remove what `make book` makes; .venv, the record, and the runs of cpu and paper stay
	rm -rf _build book/executed runs/smoke .snakemake .cache .pytest_cache .ruff_cache .hypothesis

# Nothing is installed when only the files' times have changed (the stamp holds their checksum). uv does not read pip's
# configuration: where pip is told of a folder of wheels (a CPU build of PyTorch, say), uv is told of it here.
.venv/.stamp: pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null || { \
		echo "tvae needs Python 3.11 or 3.12: install one, or say where it is (make env PYTHON=/path/to/python3.12)." >&2; exit 2; }
	@version() { "$$1" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null; }; \
	wheels() { for p in "$(PYTHON)" python3 python; do "$$p" -m pip config get global.find-links 2>/dev/null && return; done; true; }; \
	sum="$$(cat $^ | cksum) $$(version "$(PYTHON)")"; \
	if [ "$$(cat $@ 2>/dev/null)" = "$$sum" ]; then \
		:; \
	elif uv --version >/dev/null 2>&1; then \
		echo "Setting up .venv with uv and $$("$(PYTHON)" --version)"; \
		[ "$$(version $(PY))" = "$$(version "$(PYTHON)")" ] || uv venv --quiet --clear --python "$(PYTHON)" .venv; \
		wheels="$$(echo $${PIP_FIND_LINKS:-$$(wheels)})"; \
		UV_FIND_LINKS="$${UV_FIND_LINKS:-$${wheels// /,}}" \
			uv pip install --quiet --python $(PY) --constraints constraints.txt --editable ".[book,test]"; \
	else \
		echo "Setting up .venv with pip and $$("$(PYTHON)" --version)"; \
		[ "$$(version $(PY))" = "$$(version "$(PYTHON)")" ] || "$(PYTHON)" -m venv --clear .venv; \
		$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[book,test]"; \
	fi; \
	echo "$$sum" > $@
