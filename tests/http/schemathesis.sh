#!/usr/bin/env bash
# Holds a running daemon against docs/openapi.yaml with all checks of
# schemathesis, which is installed from PyPI into a folder of its own outside
# of the tree: $MCELL_SCHEMATHESIS, else ~/.cache/mcell/schemathesis.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=4.32.5
venv=${MCELL_SCHEMATHESIS:-${XDG_CACHE_HOME:-$HOME/.cache}/mcell/schemathesis}

if [[ $("$venv/bin/schemathesis" --version 2>/dev/null) != *" $version" ]]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" --quiet --disable-pip-version-check install "schemathesis==$version"
fi

PATH="$venv/bin:$PATH" MCELL_REQUIRE=schemathesis exec cargo test --test main http::openapi "$@"
