#!/bin/sh
# Makes a virtual environment and installs a list of pinned packages and this project itself, as paths to it, into it;
# does nothing when that is done already. Python is 3.11; the embedded engine also runs on 3.12 and 3.13.
# Usage: tools/setup.sh ENVIRONMENT LIST     (a list is requirements/LIST.txt)
set -eu
cd "$(dirname "$0")/.."
environment=$1 list=$2

case $list in embedded*) versions="3.11 3.12 3.13" shown="3.11 to 3.13" ;; *) versions=3.11 shown=3.11 ;; esac

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

fits() { case " $versions " in *" $1 "*) true ;; *) false ;; esac; }

find_python() {
    seen=""
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
        found=$(version "$candidate")
        if fits "$found"; then command -v "$candidate"; return; fi
        [ -z "$found" ] || seen="$seen $candidate is $found;"
    done
    echo "This project needs Python $shown.${seen:- No Python was found;} install it, or name it: make PYTHON=/path/to/python3.11" >&2
    exit 2
}

stamp="$environment/.$list.stamp"
# The path counts too: programs in an environment that was moved with its folder do not start.
wanted="$(pwd)/$environment $(cat "requirements/$list.txt" tools/setup.sh | cksum)"
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && [ -x "$environment/bin/python" ]; then exit 0; fi

place=$(cat "$environment/.place" 2>/dev/null || pwd)
if ! fits "$(version "$environment/bin/python")" || [ "$place" != "$(pwd)" ]; then
    python=$(find_python)
    echo "making $environment with $python" >&2
    "$python" -m venv --clear "$environment"
fi
pwd > "$environment/.place"
echo "installing requirements/$list.txt into $environment (once; a few minutes)" >&2
rm -f "$stamp"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    --requirement "requirements/$list.txt" >&2
packages=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$(pwd)/src" "$(pwd)" > "$packages/partner-data-jobs.pth"
printf '#!/bin/sh\nexec "%s" -m jobs "$@"\n' "$(pwd)/$environment/bin/python" > "$environment/bin/partner-jobs"
chmod +x "$environment/bin/partner-jobs"
echo "$wanted" > "$stamp"
