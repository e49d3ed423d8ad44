# Daybook on one machine, without Docker and without root. `make help` lists what there is; `./daybook --help` the rest.
# An exit code of ./daybook other than 0 becomes 2 here: make knows no other.

PYTHON ?= python3
UI_PORT ?= 8080
VENV := .venv
INSTALLED := $(VENV)/.installed
# What only looks at Daybook has an environment of its own.
TOOLS := .venv-tools
# Daybook's packages and Spark's, for the tests of engine="pyspark".
SPARK := .venv-spark
# Daybook's packages, with Airflow's next version in the place of the locked one.
NEXT := .venv-next
# Daybook's packages and those of KubernetesExecutor.
KUBERNETES := .venv-kubernetes
NAMED := $(if $(PIPELINE),--pipeline "$(PIPELINE)")
DAYS := $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)")

export PYTHONPATH := $(CURDIR)/include:$(CURDIR)/config
# uv has a list of certificates of its own; behind a company's proxy only those of this machine hold.
export UV_SYSTEM_CERTS ?= true

.DEFAULT_GOAL := help
.PHONY: help setup demo up down day backfill psql clean test test-own test-unit test-all test-spark test-kubernetes upgrade-test test-outages test-people test-stacks coverage house documents fuzz strangers soak soak-airflow bench site sbom audit lint lock upgrade env

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## publish seven days of real flights, show them, stop everything
	@./daybook demo

up: ## start everything with Airflow's UI on 127.0.0.1:8080 until Ctrl-C [UI_PORT=8081]
	@./daybook up --ui-port $(UI_PORT)

down: ## stop what runs in this checkout
	@./daybook down

day: ## publish one day, DAY=2013-01-05, again if need be [PIPELINE=flights]
	@./daybook day "$(DAY)" $(NAMED)

backfill: ## run the days that need it [FROM=2013-01-01 TO=2013-01-31 PIPELINE=flights]
	@./daybook backfill $(DAYS) $(NAMED)

psql: ## open the warehouse as an analyst [SQL='select * from flights.by_day']
	@./daybook psql $(if $(SQL),"$$SQL")

clean: ## remove the databases, logs and published files of this checkout
	@./daybook clean

env: ## write .env, the passwords for docker compose
	@$(PYTHON) -m deployment.compose.env

# Slow ones first: else one processor waits for the other at the end.
DAYS_ON_AIRFLOW := tests/airflow/end_to_end/test_days.py
TESTS := $(DAYS_ON_AIRFLOW) tests/airflow/dag tests/integration/steps tests/integration/tables \
    tests/unit tests/pipelines
# Three folders of these run at a time: they wait for servers more than they compute.
LONG_TESTS := tests/airflow tests/deployment tests/integration/publish tests/integration/days tests/integration/ftp \
    tests/integration/alerts tests/generative tests/faults tests/integration/cases
# Each ends or stops a part of a deployment, and waits until that is noticed: a quarter of an hour, before a release.
OUTAGES := tests/airflow/outages tests/deployment/test_hung_parts.py tests/deployment/test_supervisor.py
# What people do in Airflow: they ask for days, clear tasks, mend rows, answer held days, and have roles.
PEOPLE := tests/airflow/access $(addprefix tests/airflow/end_to_end/,test_asked_days.py test_clearing.py test_release.py test_replay.py)
# Each is a compose stack of its own: two workers and a bucket, what becomes of these workers, TLS in front.
STACKS := $(addprefix tests/deployment/compose/,test_workers.py test_worker_outages.py test_tls.py)
PYTEST := $(VENV)/bin/python -m pytest --durations=25 --numprocesses=2 --no-loadscope-reorder

test: $(INSTALLED) ## run the tests of every change: units, the steps on real servers, days through Airflow
	$(PYTEST) --dist=loadfile $(TESTS)

# Apart from the tests of every change: it costs them a quarter of their time.
coverage: $(INSTALLED) ## run the same tests, and show how much of include/daybook they run
	$(PYTEST) --dist=loadfile --cov --cov-report=term:skip-covered $(TESTS)

test-unit: $(INSTALLED) ## run the tests that need no server
	$(PYTEST) --dist=loadfile tests/unit

test-all: $(INSTALLED) ## run all other tests, which take longer, but those of the targets below
	$(PYTEST) --numprocesses=3 --dist=loadscope $(LONG_TESTS) $(patsubst %,--ignore=%,$(TESTS) $(OUTAGES) $(PEOPLE) $(STACKS))

test-outages: $(INSTALLED) ## run the tests in which parts of a deployment are killed, stopped or away
	$(PYTEST) --dist=loadscope $(OUTAGES)

test-people: $(INSTALLED) ## run the tests of what people do in Airflow: days asked for, tasks cleared, held days answered, roles
	$(PYTEST) --dist=loadscope $(PEOPLE)

test-stacks: $(INSTALLED) ## run the tests of the compose stack with workers and a bucket, and of the one behind TLS
	$(PYTEST) --numprocesses=0 $(STACKS)

# Apart from all others: it has an environment of its own, 500 MB more, and needs Java.
test-spark: $(SPARK)/.installed ## run the tests of days on a Spark cluster of two workers; needs Java, 17 or newer
	$(SPARK)/bin/python -m pytest --durations=10 tests/spark

# The answer to one question, before anybody upgrades: does Daybook run on it, unchanged?
upgrade-test: $(NEXT)/.installed ## run the tests of every change on Airflow's next version, which requirements-next.txt names
	$(PYTEST:$(VENV)/%=$(NEXT)/%) --dist=loadfile $(TESTS)

# Apart from all others: it has an environment of its own, and no cluster.
test-kubernetes: $(KUBERNETES)/.installed ## run the tests of KubernetesExecutor and of what it makes of deploy/helm
	$(KUBERNETES)/bin/python -m pytest tests/kubernetes

test-own: $(INSTALLED) ## run the tests of your own pipelines, in tests/pipelines
	$(VENV)/bin/python -m pytest --quiet tests/pipelines

house: $(INSTALLED) ## run the tests about the repository itself: layout, words, secrets, pins
	$(VENV)/bin/python -m pytest --quiet tests/unit/house

documents: $(INSTALLED) ## write what the documents have from the code: the words of the spec, the tested cases
	$(VENV)/bin/python tests/unit/house/spec_reference.py
	$(VENV)/bin/python tests/unit/house/cases.py

fuzz: $(INSTALLED) ## give the loader 100,000 mutations of a good file [CASES=1000]
	$(VENV)/bin/python -m tests.generative.fuzz $(or $(CASES),100000)

strangers: $(INSTALLED) ## load every table found on this machine, beside Python's csv module [FILES="folder file.csv"]
	$(VENV)/bin/python -m tests.generative.strangers $(FILES)

soak: $(INSTALLED) ## publish thirty simulated days, each with a fault by chance
	$(VENV)/bin/python tests/generative/soak.py days

soak-airflow: $(INSTALLED) ## strike a running deployment once a minute, and look at every published day after each [MINUTES=120]
	DAYBOOK_SOAK_MINUTES=$(or $(MINUTES),120) $(VENV)/bin/python -m pytest --capture=no --timeout=0 tests/airflow/outages/long_outages.py

bench: $(INSTALLED) ## measure speed, as ratios from one run beside named alternatives
	for program in bench/*.py; do $(VENV)/bin/python "$$program" || exit 1; done

lint: $(INSTALLED) ## check style and types
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

lock: $(INSTALLED) ## write requirements.lock anew from requirements.txt
	$(VENV)/bin/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $(UPGRADE) --output-file requirements.lock
	$(VENV)/bin/uv pip compile requirements-tools.txt --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $(UPGRADE) --output-file requirements-tools.lock
	$(VENV)/bin/uv pip compile requirements-spark.txt --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $(UPGRADE) --output-file requirements-spark.lock

	$(VENV)/bin/uv pip compile requirements-kubernetes.txt --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $(UPGRADE) --constraint requirements.lock --output-file requirements-kubernetes.all
	@awk 'NR == FNR { known[$$1] = 1; next } /^[^ ]/ { keep = !($$1 in known) } keep' \
	    requirements.lock requirements-kubernetes.all > requirements-kubernetes.lock
	@rm requirements-kubernetes.all

# `make lock` keeps each version that still fits; this keeps only what requirements.txt pins, and shows what that changed:
# a newer release of one package can hold another back. The pins are raised by hand, with the reason in the commit.
upgrade: $(INSTALLED) ## raise what the pins of requirements.txt bring, in requirements.lock; list the pins that are behind
	@$(MAKE) --no-print-directory --silent lock UPGRADE="--upgrade --quiet"
	@git --no-pager diff --unified=0 requirements.lock | grep '^[-+][a-z].*==' || echo "requirements.lock is at its newest."
	@echo "Pins of requirements.txt that are behind; raise them there, then \`make lock\`:"
	@sed -n 's/==.*//p' requirements.txt | $(VENV)/bin/uv pip compile - --no-deps --upgrade --universal --python-version 3.11 \
	    --quiet --no-header --no-annotate --no-emit-index-url --no-emit-find-links | grep -vxFf requirements.txt || echo none

site: $(TOOLS)/.installed ## build the documents as a site with a search, in build/site; a broken link is refused
	NO_MKDOCS_2_WARNING=1 $(TOOLS)/bin/mkdocs build --quiet

sbom: $(TOOLS)/.installed ## write what Daybook consists of, as CycloneDX, into build/sbom.json
	@mkdir -p build
	$(TOOLS)/bin/cyclonedx-py requirements requirements.lock --output-reproducible --output-format JSON --output-file build/sbom.json

audit: $(TOOLS)/.installed ## look up the locked packages among those with a known fault; it asks PyPI
	$(TOOLS)/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip

$(TOOLS)/.installed: requirements-tools.lock $(INSTALLED)
	@$(PYTHON) -m venv $(TOOLS)
	@$(VENV)/bin/uv pip sync --quiet --python $(TOOLS)/bin/python --require-hashes requirements-tools.lock
	@touch $@

$(SPARK)/.installed: requirements.lock requirements-spark.lock $(INSTALLED)
	@$(PYTHON) -m venv $(SPARK)
	@$(VENV)/bin/uv pip sync --quiet --python $(SPARK)/bin/python --require-hashes requirements.lock requirements-spark.lock
	@touch $@

# What is locked, and then only what the next version asks for instead.
$(NEXT)/.installed: requirements.lock requirements-next.txt $(INSTALLED)
	@$(PYTHON) -m venv $(NEXT)
	@$(VENV)/bin/uv pip sync --quiet --python $(NEXT)/bin/python --require-hashes requirements.lock
	@$(VENV)/bin/uv pip install --quiet --python $(NEXT)/bin/python --requirement requirements.txt --overrides requirements-next.txt
	@touch $@

$(KUBERNETES)/.installed: requirements.lock requirements-kubernetes.lock $(INSTALLED)
	@$(PYTHON) -m venv $(KUBERNETES)
	@$(VENV)/bin/uv pip sync --quiet --python $(KUBERNETES)/bin/python --require-hashes requirements.lock requirements-kubernetes.lock
	@touch $@

setup: $(INSTALLED) ## install what is locked into .venv; every other target does it when needed

# Old pips cannot read a lock of Airflow with hashes, but the one line of it that is uv, and uv reads the rest.
$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Daybook needs Python 3.11, 3.12 or 3.13; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Making $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing uv, the installer, by its hash in requirements.lock."
	@awk '/^uv==/ { inside = 1 } inside { print } inside && !/\\$$/ { exit }' requirements.lock > $(VENV)/uv.lock
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.lock
	@echo "Installing the locked packages (about 210, 1.2 GB; seconds where they were downloaded before)."
	@$(VENV)/bin/uv pip sync --quiet --python $(VENV)/bin/python --require-hashes --compile-bytecode requirements.lock
	@touch $(INSTALLED)
