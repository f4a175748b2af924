# Everything a developer or a newcomer runs; the recipes are short, the work is in the scripts they name.
PYTHON := /usr/bin/python3
VENV := .venv
PYTEST := $(VENV)/bin/pytest -q

.PHONY: demo test deb venv agent lint unit component system nightly bench sabotage soak system-12 system-13

# The two commands of the README. Both install what is missing, as root, on Debian 12 or 13.

# A booted container with the package and the simulated gateway, until Ctrl-C. MODE=live; STAY=no ends once ready.
demo:
	packaging/setup demo
	$(MAKE) --no-print-directory venv
	@packaging/demo

test:
	packaging/setup test
	$(MAKE) --no-print-directory lint unit component system

# dist/ibga_<version>_all.deb
deb:
	packaging/setup build
	packaging/build-deb

venv: $(VENV)/.complete

# Debian's packages at run time, hence --system-site-packages; only the tools of the trade come from PyPI.
$(VENV)/.complete: tests/requirements.txt
	$(PYTHON) -m venv --system-site-packages $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	touch $@

agent:
	sh ibga/agent/build

lint: venv
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

unit: venv
	$(PYTEST) tests/unit

component: venv agent
	$(PYTEST) --numprocesses 3 --dist loadfile -m "not nightly" tests/component

# Both at once: most of the time is spent waiting for what a booted system does.
system: venv
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target system-12 system-13

system-12: venv
	$(PYTEST) tests/system -k "not debian13"

system-13: venv
	$(PYTEST) tests/system -k debian13

# What takes too long for every change, some two hours: all variants, long fuzzing, sabotage, the soak.
nightly: venv agent
	$(MAKE) --no-print-directory lint
	IBGA_FUZZ=50000 $(PYTEST) tests/unit
	IBGA_LOGINS=100 IBGA_FUZZ_JVM=500 $(PYTEST) --numprocesses 3 --dist loadfile tests/component
	$(MAKE) --no-print-directory system sabotage soak

# What is promised of speed and size, measured, beside its budget. Wants a quiet machine, and eight minutes.
bench: venv agent
	$(VENV)/bin/python -m tests.bench

# Damages the product in small ways, one at a time: a test must notice each.
sabotage: venv agent
	$(VENV)/bin/python -m tests.sabotage

# Ten minutes with eight busy loops beside a ready instance: no watchdog may fire.
soak: venv
	$(VENV)/bin/python -m tests.soak
