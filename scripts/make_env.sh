#!/usr/bin/env bash
# Sets up .venv from pyproject.toml and constraints.txt: scripts/make_env.sh [PYTHON: a command, a path or a version]
#
# With uv where there is one, which also gets a Python where there is none; else with pip. Nothing is installed when only
# the files' times have changed: the stamp holds their checksum.
set -euo pipefail

wanted=${1:-}
default=3.12 # the version that uv gets where there is none
stamp=.venv/.stamp
new=.venv/bin/python

good() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; }
version() { "$1" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null || true; }
have_uv() { uv --version >/dev/null 2>&1; }

find_python() {
    local names=("$new" python3.12 python3.11 python3.13 python3.14 python3 python)
    if [ -n "$wanted" ]; then names=("$wanted"); fi
    for name in "${names[@]}"; do # the first that runs: a shim of pyenv may exist and not run
        if good "$name"; then echo "$name" && return; fi
    done
    if have_uv; then
        uv python find "${wanted:-$default}" 2>/dev/null && return
        echo "Python ${wanted:-$default} is not here: uv gets it." >&2
        uv python install "${wanted:-$default}" >&2 && uv python find "${wanted:-$default}"
    fi
}

python=$(find_python || true)
if ! good "$python"; then
    echo "tvae needs Python 3.11 to 3.14: install one, or uv, or say where it is (make env PYTHON=/path/to/python3.12)." >&2
    exit 2
fi

sum="$(cat pyproject.toml constraints.txt | cksum) $(version "$python")"
if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    touch "$stamp"
    exit
fi

if have_uv; then
    echo "Setting up .venv with uv and $("$python" --version): about 200 packages, PyTorch the largest."
    if [ "$(version "$new")" != "$(version "$python")" ]; then uv venv --quiet --clear --python "$python" .venv; fi
    # uv does not read pip's configuration: where pip is told of a folder of wheels, uv is told of it here.
    wheels=${PIP_FIND_LINKS:-}
    for name in "$python" python3 python; do
        wheels=${wheels:-$("$name" -m pip config get global.find-links 2>/dev/null || true)}
    done
    export UV_FIND_LINKS=${UV_FIND_LINKS:-${wheels// /,}}
    uv pip install --python "$new" --constraints constraints.txt --editable ".[book,test]" 2>&1 | grep -v '^ [+~-] '
else
    echo "Setting up .venv with pip and $("$python" --version): about 200 packages, PyTorch the largest; minutes."
    if [ "$(version "$new")" != "$(version "$python")" ]; then "$python" -m venv --clear .venv; fi
    "$new" -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt -e ".[book,test]" | awk '
        /^Collecting/ { printf "  %3d  %s\n", ++count, $2; fflush() }
        /^ *Downloading .*\([0-9.]+ [MG]B\)/ { sub(/^ *Downloading */, ""); print "       " $0; fflush() }
        /^Installing collected/ { print "  installing them"; fflush() }'
fi
echo "$sum" > "$stamp"
