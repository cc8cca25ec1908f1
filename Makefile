# A fresh machine needs two commands, `make run` and `make test`; each sets up everything in .venv by itself.
# All paths are relative, so that a checkout in a folder with spaces works.

PYTHON ?= python3
FILES ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
RUN_READY := .venv/run-ready.stamp
TEST_READY := .venv/test-ready.stamp
WINDOW_PARTS := $(addprefix tests/ui/,explore monitor plots train training_plots)

.DEFAULT_GOAL := help
.PHONY: help run test lint bench package samples docs-pictures clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) ## Start the studio; FILES="a.csv b.pt" opens these
	@$(BIN)/python -m lstm_studio $(FILES)

# Two at once, of about the same length: the window's tests wait for much of their time, and two cores are the least
# there is. Those of its parts follow the tests of everything else.
test: lint ## Check style, types and layers, then run every test once
	@rest=$$(mktemp); status=0; \
	(trap 'kill $$part; exit 1' TERM; \
	$(BIN)/python -m pytest -p no:pytest-qt --without-qt --ignore=tests/ui tests & part=$$!; \
	wait $$part || status=$$?; \
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(WINDOW_PARTS) & part=$$!; \
	wait $$part || status=$$?; \
	exit $$status) > "$$rest" 2>&1 & \
	beside=$$!; trap 'kill $$beside 2> /dev/null; rm -f "$$rest"' EXIT; trap 'exit 130' INT TERM; \
	echo "Tests of the window (those of everything else and of its parts run beside them):"; \
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(WINDOW_PARTS:%=--ignore=%) tests/ui || status=$$?; \
	wait $$beside || status=$$?; \
	echo "Tests of everything else, with Qt out of reach, and of the window's parts:"; cat "$$rest"; \
	exit $$status

lint: $(TEST_READY) ## Check style, types and who imports whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

bench: $(TEST_READY) ## Measure, side by side with the tools people use otherwise
	@$(BIN)/python -m benchmarks

package: $(TEST_READY) ## Build the stand-alone program in dist/ and let it test itself
	@$(BIN)/python -m PyInstaller --noconfirm --log-level WARN lstm_studio.spec
	@$(BIN)/python packaging/check_bundle.py dist/lstm-studio

samples: $(RUN_READY) ## Train the networks in resources/samples again
	@$(BIN)/python -m lstm_studio.training.samples

docs-pictures: $(RUN_READY) ## Make the pictures of the README and the guide again
	@$(BIN)/python docs/make_pictures.py

clean: ## Remove .venv and everything built
	rm -rf .venv build dist

# The stamps go with the environment they speak for, so a new environment is always filled.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "LSTM Studio needs Python 3.11 or newer, and '$(PYTHON)' is `$(PYTHON) --version 2>&1`." >&2; \
	  echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@rm -f $(RUN_READY) $(TEST_READY)
	@echo "Creating .venv with `$(PYTHON) --version`"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(RUN_READY): $(BIN)/python pyproject.toml constraints.txt packaging/system-libraries.sh
	@echo "Installing LSTM Studio and PyTorch in .venv (a few minutes, once)"
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable '.[gui]'
	@sh packaging/system-libraries.sh $(BIN)/python
	@touch $@

$(TEST_READY): $(RUN_READY)
	@echo "Installing the tools that check it"
	@$(PIP) --no-build-isolation --editable '.[gui,dev]'
	@touch $@
