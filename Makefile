# The commands of the house. `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8000
HERE := .venv/bin/python
# Where a shell forbids compiled files, each of our many processes would compile all that it imports anew: 3 s, not 1 s
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help run reset test check format bench soak sizes shell dev

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: .venv/.run ## Start everything and open http://localhost:8000 (other port: make run PORT=8001)
	@$(HERE) -m hub.local run --port "$(PORT)"

reset: .venv/.run ## Start over: remove the data of this folder
	@$(HERE) -m hub.local reset

test: .venv/.dev ## Run the whole suite, browser tests included, on embedded servers
	@HUB_BROWSER="$$($(HERE) -m hub.local browser)" && export HUB_BROWSER && \
	$(HERE) -m django compile_locale --settings tests.settings && \
	$(HERE) -m pytest -n 3 --dist worksteal $(ARGS)

check: .venv/.dev ## Format, lint, types, import contracts, migrations, templates, French
	@$(HERE) -m hub.local.check

format: .venv/.dev ## Put the code into shape
	@$(HERE) -m ruff format . && $(HERE) -m ruff check --fix .

bench: .venv/.dev ## Measure what must stay fast, and print the table
	@$(HERE) -m tests.bench

soak: .venv/.dev ## Let sixty nights pass under fire, on servers of its own, and print what held
	@$(HERE) -m tests.soak $(ARGS)

sizes: .venv/.dev ## Print what a first run and a first page weigh
	@$(HERE) -m hub.local sizes

# The environment, from the lock file: what runs, and for work on the code what checks and tests, too.
.venv/.run: uv.lock pyproject.toml hub/local/bootstrap.py
	@$(PYTHON) hub/local/bootstrap.py run

.venv/.dev: uv.lock pyproject.toml hub/local/bootstrap.py
	@$(PYTHON) hub/local/bootstrap.py dev
