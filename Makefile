# Everything from nothing: a fresh machine needs Python 3.11+, make and git.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.DELETE_ON_ERROR:
.PHONY: demo test kills check bench clean

demo: $(INSTALLED) ## kill a real render three times and watch it go on
	$(BIN)/python examples/reel/demo.py

test: $(INSTALLED) ## the tests of an ordinary run
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not (kills or faults or packaging)"

kills: $(INSTALLED) ## the tests that kill real processes at random moments and break disks under them
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "kills or faults"

check: $(INSTALLED) ## style, types, layers, packaging
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m packaging

bench: $(INSTALLED) ## what a save, a replay and a resume cost
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist *.egg-info examples/reel/out examples/exports/out examples/storyboard/out examples/simulation/out

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "resumelog needs Python 3.11 or newer; name one with make PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
