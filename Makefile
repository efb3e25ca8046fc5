# Everything a developer runs. The first of these makes .venv; nothing outside the checkout changes.
.DEFAULT_GOAL := help
.PHONY: help up test tour prove faults bench check format lock reset clean

# What is compiled is kept, whatever the shell asks for: else each of many processes compiles all.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: $(INSTALLED) ## Run everything until Ctrl-C; PORT=8080 for a port of your own
	@$(PYTHON) -m dev.up

test: $(INSTALLED) ## Run all tests but those of `make faults`, on engines of their own; ARGS='-k redeem'
	@$(PYTHON) -m pytest -n auto -m "not faults" $(ARGS)

tour: $(INSTALLED) ## Play the main job over HTTP, as a story
	@$(PYTHON) -m dev.tour $(ARGS)

prove: $(INSTALLED) ## Let beancount and hledger prove a year of generated books
	@$(PYTHON) -m dev.prove $(ARGS)

faults: $(INSTALLED) ## Let everything fail, die and come late; STEPS=50000, SEED=7 to repeat, SHORT=1
	@FAULTS_SEED='$(SEED)' $(if $(SHORT),,FAULTS_STEPS='$(or $(STEPS),50000)') \
		EXAMPLES_TIMES=$(if $(SHORT),3,20) \
		$(PYTHON) -m pytest -n $(if $(SHORT),auto,0) -m 'faults or hypothesis or in_turn' $(ARGS)

bench: $(INSTALLED) ## Measure; ONLY=redeem for one part, SHORT=1 for a quick look
	@ONLY='$(ONLY)' SHORT='$(SHORT)' $(PYTHON) -m bench $(ARGS)

check: $(INSTALLED) ## Style, types, floors, migrations
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PYTHON) -m dev.check_migrations
	@! grep -n '://' requirements.lock requirements-uv.lock || { echo 'A lock file names a host.'; exit 1; }

format: $(INSTALLED) ## Put all files into the house style
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

lock: $(INSTALLED) ## Write the lock files after a change of pyproject.toml; ARGS=--upgrade for the newest
	@$(LOCK) $(ARGS) --extra dev pyproject.toml -o requirements.lock
	@echo uv | $(LOCK) $(ARGS) --no-annotate - -o requirements-uv.lock

reset: ## Delete the data of `make up`: database, sandbox provider, generated secrets
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m dev.reset; else rm -rf .jibei; fi

clean: ## Delete the virtual environment and caches, not the data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock requirements-uv.lock
	@dev/venv.sh
	@touch $@
