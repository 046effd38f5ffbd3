#!/bin/sh
# Keeps the classes of Spark that a job loads, as Java maps them, in ENVIRONMENT/classes.jsa (130 MB), for jobs that tools/with.sh
# starts. It is made once, by a run of a sample; with another Java or Spark than then, Java leaves it aside. Empty: none was made.
# Usage: tools/classes.sh ENVIRONMENT
set -eu
cd "$(dirname "$0")/.."
classes=$1/classes.jsa
[ -z "$(find "$1"/lib/python*/site-packages/pyspark/version.py ! -newer "$classes" 2>/dev/null)" ] || exit 0
echo "keeping Spark's classes in $classes (once; half a minute)" >&2
# In the environment, so that the archive gets its name in one step: Java ends at once where it maps half of one.
scratch=$(mktemp -d "$1/classes.XXXXXX")
scratch=$(cd "$scratch" && pwd)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
if SPARK_SUBMIT_OPTS="-XX:ArchiveClassesAtExit='$scratch/classes.jsa' -Xlog:cds=off -Xlog:cds+dynamic=off" \
    tools/with.sh "$1" spark-submit --master "local[2]" jobs/customer_orders.py --source data/customer_orders \
    --max-rejected 30% --destination "$scratch/out" --quiet >/dev/null && [ -f "$scratch/classes.jsa" ]; then
    mv -f "$scratch/classes.jsa" "$classes"
else
    rm -f "$classes"
    : > "$classes"
fi
