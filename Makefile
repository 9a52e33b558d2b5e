# `make demo` and `make test` need Python 3.11 or later and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
# Where the CPU build of torch lives, a tenth of the default's size on Linux. Empty: the default index (CUDA).
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help setup demo test check release verify package site audit bench lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the environment in .venv, at the versions of requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Setting up $(VENV): about 200 packages, two to five minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -z "$(TORCH_INDEX)" || $(BIN)/pip install --quiet --retries 1 --timeout 20 --no-deps --index-url $(TORCH_INDEX) $$(grep '^torch==' requirements.lock) \
	    || echo "$(TORCH_INDEX) does not answer; using the default index."
	@$(BIN)/pip install --quiet -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps -e .
	@touch $@

demo: $(READY)  ## release, verify one question, grade three submissions, package: the whole path on PS1
	@$(BIN)/python -m autograder.demo

# Which tests stay together: tests/conftest.py. One thread each, or the processes fight for the cores.
test: $(READY)  ## our own tests, on all cores
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not alone" --numprocesses logical --dist loadgroup
	@$(BIN)/python -m pytest -m "alone and not slow"

check: $(READY)  ## committed releases are current; lint; types
	@$(BIN)/python -m autograder release --check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

release: $(READY)  ## student notebooks from solutions/
	@$(BIN)/python -m autograder release

verify: $(READY)  ## proof that the graders are right
	@$(BIN)/python -m autograder verify

package: $(READY)  ## Gradescope zips in dist/
	@$(BIN)/python -m autograder package

site: $(READY)  ## the releases as web pages in build/site
	@$(BIN)/python -m autograder site

audit: $(READY)  ## the long rounds: mutation, fuzzing, 20 seeds; writes docs/audit.md, and from it docs/quality.md
	@$(BIN)/python benchmarks/audit.py; failed=$$?; $(BIN)/python benchmarks/quality.py; exit $$failed

# PEER: a checkout of github.com/karpathy/nanoGPT. The tokenizers library is for its benchmark only.
bench: $(READY)  ## every measurement beside its peers; writes benchmarks/RESULTS.md; PEER=PATH of a nanoGPT adds it
	@$(BIN)/pip install --quiet --no-deps --upgrade --target build/bench tokenizers || echo "Without the tokenizers library."
	@PYTHONPATH=build/bench $(BIN)/python benchmarks/bench.py $(if $(PEER),--peer $(PEER))

lock: $(READY)  ## write requirements.lock from what is installed in .venv
	@$(BIN)/python benchmarks/lock.py

clean:  ## remove what was built, keep the environment
	rm -rf build dist results .pytest_cache .mypy_cache .ruff_cache
