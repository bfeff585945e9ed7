# Everything here runs on a machine that has Python 3.11 or newer, make and a compiler.
# Each kind of work makes its own environment under .venv/, so no target needs another one.

BASE := .venv/base
DEV := .venv/dev
MANIM := .venv/manim
DOCS := .venv/docs
LIBRARIES := .venv/libraries
FIGURES := figures
RUN := runs/modular-addition
EPOCHS := 40000
WORKERS := 2
comma := ,
PYTEST := $(DEV)/bin/python -m pytest -n $(WORKERS) --dist worksteal

# pip compiles nothing here: what is imported is compiled once, and kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help figures films docs docs-serve numbers benchmark test test-all libraries torture browser lint format train wheel clean

help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

figures: $(BASE)/.installed ## draw every figure and data film of the bundled references into figures/
	$(BASE)/bin/grokviz figures --out $(FIGURES)

films: $(MANIM)/.installed ## draw every film into films/, installing manim and, where it can, cairo and pango
	@$(MANIM)/bin/grokviz scenes --json --no-user-scenes | $(MANIM)/bin/python -c \
	'import json, sys; print(*(s["name"] for s in json.load(sys.stdin) if s["engine"] == "manim"))' \
	| tr ' ' '\n' | while read -r film; do \
		$(MANIM)/bin/grokviz render "$$film" -o "films/$$film.mp4" || exit 1; \
	done

docs: $(DOCS)/.installed ## build the documentation with its gallery into site/
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

docs-serve: $(DOCS)/.installed ## serve the documentation on this machine, building anew what changes
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs serve

numbers: $(DEV)/.installed ## compute the numbers of the docs' science pages anew from the bundled runs
	$(DEV)/bin/python -m website.numbers

benchmark: $(DEV)/.installed ## measure this machine's ratios beside their goals into docs/speed.md (at rest; many minutes)
	$(DEV)/bin/python -m benchmarks

test: $(DEV)/.installed ## run the tests that take minutes at most
	$(PYTEST) -m "not slow"

test-all: $(DEV)/.installed browser libraries ## run every test, the slow ones too
	$(PYTEST)

libraries: $(LIBRARIES)/.installed ## try callbacks, imports and learning coefficients with Trainer, Lightning, devinterp and others
	$(LIBRARIES)/bin/python -m pytest tests/training/test_training_callbacks.py \
	tests/trajectory/test_trajectory_import_tensorboard.py tests/docs/test_docs_from.py tests/docs/test_docs_examples.py \
	tests/analysis/test_analysis_coefficient_devinterp.py tests/tasks/test_tasks_clock_or_pizza.py

torture: $(DEV)/.installed ## kill, fill, damage and deceive what is promised in SECURITY.md (40 minutes)
	$(DEV)/bin/python -m tests.torture -j $(WORKERS) --minutes 30

browser: ## install Chromium for the tests of pages, where that is possible
	@sh tests/browser/install_chromium.sh

lint: $(DEV)/.installed ## check style, types and which package may import which
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports

format: $(DEV)/.installed ## put the code into its one form
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

train: $(DEV)/.installed ## train the main run from scratch into runs/; the same again goes on
	$(DEV)/bin/grokviz train modular-addition --epochs $(EPOCHS) --out $(RUN)

wheel: $(DEV)/.installed ## build the wheel into dist/
	$(DEV)/bin/python -m build --wheel --no-isolation

clean: ## remove what can be made again; runs/ stays
	rm -rf .venv build dist figures films site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find grokviz scenes tests benchmarks website -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE)/.installed: pyproject.toml constraints.txt
	$(call environment,$(BASE),.)

# Without manim the tests of its films are skipped, and say so.
$(DEV)/.installed: pyproject.toml constraints.txt
	-$(libraries)
	$(call environment,$(DEV),.[dev$(comma)manim],.[dev],*** The tests of manim's films will be SKIPPED: manim cannot be installed here)

# Without manim the gallery has its films' pages, and says loudly that the films are missing.
$(DOCS)/.installed: pyproject.toml constraints.txt
	-$(libraries)
	$(call environment,$(DOCS),.[docs$(comma)manim],.[docs],make docs: manim cannot be installed; the gallery will lack its films)

# The training libraries whose loops and files are recorded and imported: no other target needs them.
$(LIBRARIES)/.installed: pyproject.toml constraints.txt
	$(call environment,$(LIBRARIES),.[libraries])

$(MANIM)/.installed: pyproject.toml constraints.txt
	$(libraries)
	$(call environment,$(MANIM),.[manim])

# What manim's own packages are built with; doctor names the same.
define libraries
@if pkg-config --exists cairo pangocairo 2>/dev/null; then exit 0; fi; \
as=; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
if command -v apt-get >/dev/null && $$as true 2>/dev/null; then \
	$$as apt-get update -qq && $$as apt-get install -y -qq --no-install-recommends \
	libcairo2-dev libpango1.0-dev pkg-config python3-dev build-essential >/dev/null; \
elif command -v brew >/dev/null; then brew install --quiet cairo pango pkg-config; \
else \
	echo "make: manim needs cairo and pango: sudo apt-get install --no-install-recommends" \
	"libcairo2-dev libpango1.0-dev pkg-config python3-dev build-essential" >&2; exit 1; \
fi
endef

# $(2) in the environment $(1), by the newest pip (that of Python 3.11 takes twice as long), by the first Python that is there, works and is new enough.
# Where $(2) cannot be installed, $(3) is, if it is given, and $(4) said. A stamp says that all went well.
define environment
@python=; for name in python3.11 python3.12 python3.13 python3; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then python=$$name; break; fi; \
done; \
if [ -z "$$python" ]; then \
	echo "make: grokviz needs Python 3.11 or newer; install it so that python3.11 or python3 starts it" >&2; \
	exit 1; \
fi; \
if ! $(1)/bin/python -c '' 2>/dev/null; then \
	echo "making $(1) with $$($$python --version)"; \
	rm -rf $(1) && $$python -m venv $(1) || exit 1; \
fi; \
echo "installing grokviz into $(1)"; \
pip="$(1)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check"; \
$$pip --upgrade pip || true; \
install() { $$pip -c constraints.txt -e "$$1"; }; \
install '$(2)' $(if $(3),|| { echo "$(4)" >&2; install '$(3)'; })
@touch $@
endef
