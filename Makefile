# Everything a developer or a newcomer runs; the recipes are short, the work is in the scripts they name.
PYTHON := /usr/bin/python3
VENV := .venv

.PHONY: venv agent deb lint unit

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
	$(VENV)/bin/pytest -q tests/unit

# dist/ibga_<version>_all.deb
deb:
	packaging/setup build
	packaging/build-deb
