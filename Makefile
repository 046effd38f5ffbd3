# `make` lists the targets. Needs Python 3.11 and nothing else; everything is installed under .venv* on first use. Jobs
# run on the embedded engine, in .venv-embedded, for which Python 3.12 and 3.13 do as well; the tests need Spark too.
.DEFAULT_GOAL := help
SHELL := /bin/sh
JOB ?=
ARGS ?=
WITH := tools/with.sh .venv
EMBEDDED := tools/with.sh .venv-embedded

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; \
		do printf '  make %-16s %s\n' "$$name" "$$text"; done

.PHONY: run
run: .env-embedded ## runs the jobs on their samples in data/, outputs under out/; one with JOB=restaurants
	$(EMBEDDED) python tools/run_jobs.py $(JOB)

.PHONY: spark
spark: .env-run ## installs Spark 3.5 in .venv, for: tools/with.sh .venv spark-submit jobs/restaurants.py ...
	@tools/classes.sh .venv

.PHONY: iceberg
iceberg: .env-embedded-iceberg ## adds pyiceberg to the environment of make run, for --format iceberg

.PHONY: new-job
new-job: .env-run ## writes a job that runs, its transform, tests and sample: make new-job NAME=prices
	.venv/bin/python tools/new_job.py "$(NAME)"

.PHONY: lookup
lookup: .env-embedded out/carparks/carparks.csv ## asks for car parks in the output of the carparks job; options in ARGS="--number A10"
	$(EMBEDDED) partner-jobs lookup $(ARGS)

out/carparks/carparks.csv:
	@$(MAKE) --no-print-directory run JOB=carparks

.PHONY: database
database: .env-embedded ## starts a private PostgreSQL on 127.0.0.1 and loads the sample of people; make database-stop ends it
	$(EMBEDDED) python -m tools.postgres start
	. .database/environment && $(EMBEDDED) python tools/run_jobs.py people -- --database-url "$$DATABASE_URL"

.PHONY: database-stop
database-stop: .env-embedded
	$(EMBEDDED) python -m tools.postgres stop

.PHONY: api
api: .env-dev ## serves the read API over that database; its key is in .database/environment
	@test -f .database/environment || { echo "start the database first: make database" >&2; exit 2; }
	. .database/environment && .venv/bin/partner-jobs api $(ARGS)

.PHONY: s3-demo
s3-demo: .env-embedded-dev ## the restaurants job from and to S3, on a stand-in that is started and ended for it
	$(EMBEDDED) python -m tools.s3_demo

.PHONY: cloud-demo
cloud-demo: .env-dev ## the whole cloud layout on a stand-in of AWS: apply, files, runs, messages, alerts, destroy; ARGS=--everything
	$(WITH) python -m tests.standin.rehearsal $(ARGS)

.PHONY: redrive
redrive: .env-run ## in the cloud: starts a set again (SET=customer_orders/20220130) or looks at a file again (KEY=...)
	.venv/bin/python tools/redrive.py $(if $(KEY),key "$(KEY)",set "$(SET)")

.PHONY: bench
bench: .env-dev .env-embedded-dev ## the benchmark: this project, plain PySpark, pandas, DuckDB, Polars, dlt in turn; options in ARGS="--table"
	$(WITH) python -m benchmarks.bench $(ARGS)

.PHONY: test
test: .env-dev .env-embedded-dev ## the tests on Spark 3.5 and on the embedded engine, and the checks; some minutes
	$(WITH) python tools/checks.py quick

.PHONY: test-all
test-all: .env-dev .env-embedded-dev ## everything: also Spark 4.1, PostgreSQL, other S3 and SQS servers, the rehearsal, slow ones; REST=1: without make test
	$(WITH) python tools/checks.py $(if $(REST),rest,all)

.PHONY: lint
lint: .env-dev ## style (ruff), types (mypy), words and directions of imports (import-linter) only
	$(WITH) python tools/checks.py lint

.PHONY: package
package: .env-dev ## dist/: the wheel, and the .zip for spark-submit --py-files and Glue --extra-py-files
	$(WITH) python tools/package.py

.PHONY: lock
lock: ## writes requirements/*.txt anew after a change of versions in pyproject.toml
	tools/lock.sh

.PHONY: clean
clean: ## removes what was made here, except the environments
	rm -rf out dist build .cache .pytest_cache .hypothesis .ruff_cache .mypy_cache spark-warehouse metastore_db derby.log
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean ## removes the environments too
	rm -rf .venv .venv-*

# An environment is there when its stamp fits its list of packages; then this takes no time.
.PHONY: .env-run .env-dev .env-embedded .env-embedded-dev .env-embedded-iceberg .env-spark4 .env-terraform
.env-run:
	@tools/setup.sh .venv run
.env-dev:
	@tools/setup.sh .venv dev
	@tools/classes.sh .venv
.env-embedded .env-embedded-dev .env-embedded-iceberg:
	@tools/setup.sh .venv-embedded $(@:.env-%=%)
.env-spark4:
	@tools/setup.sh .venv-spark4 spark4
