#!/bin/sh
# Writes requirements/*.txt anew from pyproject.toml: every package that is installed, with its version and hashes.
# Run it after a change of a version there, or in requirements/constraints: make lock
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh .venv-lock lock
compile() {
    .venv-lock/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@"
}
groups="--extra people --extra api --extra iceberg --extra bench --extra test --extra dev"
# An environment has one engine: Spark's have not the packages of the embedded one.
override="--override requirements/constraints/only-spark.txt"
spark="--constraint requirements/constraints/spark.txt $override"
# shellcheck disable=SC2086
compile pyproject.toml --extra spark $groups $spark --output-file requirements/dev.txt
# shellcheck disable=SC2086
compile pyproject.toml --extra spark --extra people $override --constraint requirements/dev.txt --output-file requirements/run.txt
# For Python 3.11 to 3.13, where the other lists are for 3.11 alone, as the configuration says.
compile --no-config pyproject.toml --extra embedded --extra people --extra iceberg --extra test \
    --constraint requirements/constraints/embedded.txt --output-file requirements/embedded-dev.txt
compile --no-config pyproject.toml --extra embedded --extra people --constraint requirements/embedded-dev.txt \
    --output-file requirements/embedded.txt
compile --no-config pyproject.toml --extra embedded --extra people --extra iceberg \
    --constraint requirements/embedded-dev.txt --output-file requirements/embedded-iceberg.txt
compile --group java --output-file requirements/java.txt
compile --group checkov --output-file requirements/checkov.txt
compile --group contenders --output-file requirements/contenders.txt
compile --group dlt --output-file requirements/dlt.txt
compile --group lock --output-file requirements/lock.txt
# The newer Spark runs the same tests, so everything but Spark itself is the same.
grep -v -i -E '^(pyspark|py4j)==' requirements/dev.txt | grep -E '^[a-zA-Z0-9_.-]+(\[[a-z,]+\])?==' | sed 's/ *[\\;].*//' > requirements/.same
# shellcheck disable=SC2086
compile pyproject.toml --extra spark4 $groups $override --constraint requirements/.same --output-file requirements/spark4.txt
rm -f requirements/.same
