# One door for developers. Works with GNU make 3.81 and any POSIX shell.
#   make up ARGS="--port 9000"     make test PYTEST="tests/unit -k triage"     make up PYTHON=python3.12
SHELL = /bin/sh
BIN = .venv/bin
ARGS =
PYTEST = -n 2 --dist loadfile
INSTALL = python=$$(sh .ci/bootstrap/python.sh) && "$$python" .ci/bootstrap/install.py
COMPILE = $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-annotate --quiet --custom-compile-command "make lock"

.PHONY: help up test lint types imports screens pytest bench chaos ui lock clean

help: ## What there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: ## Install what is missing and start Sigap with its demo city
	@$(INSTALL) up
	@exec $(BIN)/sigap up --demo $(ARGS)

test: ## Everything that must hold: style, types, imports, screens, tests
	@$(INSTALL) test
	@$(MAKE) --no-print-directory lint types imports screens pytest

lint: ## Style of the Python code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy

imports:
	@$(BIN)/lint-imports

screens: ## Types, style and tests of the front end
	@$(BIN)/python hatch_build.py lint check test

pytest:
	@$(BIN)/python -m pytest $(PYTEST)

bench: ## Measure: report to crew, matching, roads, start-up (JSON lines)
	@$(INSTALL) up
	@for what in path match road boot; do $(BIN)/sigap bench $$what $(ARGS) || exit 1; done

chaos: ## Break a city under load and audit it; ARGS="--faults 100 --minutes 15 --setups sqlite,nats"
	@$(INSTALL) test
	@$(BIN)/python -m tests.chaos $(ARGS)

ui: ## Build the screens anew where they changed
	@$(INSTALL) up

lock: ## Resolve the packages of pyproject.toml anew
	$(COMPILE) pyproject.toml --extra demo --group bootstrap --group build --group dev -o .ci/locks/test.txt
	$(COMPILE) pyproject.toml --extra demo --group bootstrap --group build -c .ci/locks/test.txt -o .ci/locks/up.txt
	$(COMPILE) pyproject.toml -c .ci/locks/test.txt -o .ci/locks/run.txt
	$(COMPILE) --group bootstrap -c .ci/locks/test.txt -o .ci/locks/bootstrap.txt

clean: ## Remove what make made: environment, built screens, caches
	rm -rf .venv web/ui/node_modules web/static/ui web/static/ui.new web/static/ui.old artefacts build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find dispatch geo realtime web tests -name __pycache__ -prune -exec rm -rf {} +
