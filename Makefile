# fleet-sim: one command a habit. Needs Python 3.11 or newer, make and a C compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= scenarios/bandlimited.yaml
PIP := $(BIN)/python -m pip install -c constraints.txt

.PHONY: run test check clean

run: $(VENV)/run.stamp
	$(BIN)/fleet-sim run $(SCENARIO)

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --durations=0 tests/test_walls.py

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The interpreter is looked at again only when the environment has to be made.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "make: no '$(PYTHON)' found; fleet-sim needs Python 3.11 or newer (make PYTHON=/path/to/python3)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: $$($(PYTHON) --version 2>&1) is too old; fleet-sim needs Python 3.11 or newer (make PYTHON=/path/to/python3)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	    rm -rf $(VENV); echo "make: could not create $(VENV); on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing fleet-sim into $(VENV) (the first time takes some minutes)"
	$(PIP) -e .
	@touch $@

# The test extras hold everything `run` needs too, so this one install marks both.
$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing fleet-sim and its test tools into $(VENV) (the first time takes some minutes)"
	$(PIP) -e '.[test]'
	@touch $(VENV)/run.stamp $@
