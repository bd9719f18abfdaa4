#!/usr/bin/env bash
# Builds k8s/ and each of its overlays with each set of its components, and validates every resource strictly. Prints
# `ok NAME` or `not ok NAME` for each combination, and fails if any is not.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lint-tools.sh
. scripts/lint-tools.sh
kustomize_installed >&2 && from_pypi kubernetes-validate kubernetes-validate==1.37.0 >&2 || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# kustomize accepts relative paths only.
k8s=$(realpath --relative-to="$work/any" k8s)

# Prints each set of the arguments as one line, the empty set too.
sets() {
  if [ "$#" -eq 0 ]; then
    echo
    return
  fi
  local first=$1 rest
  shift
  sets "$@" | while IFS= read -r rest; do
    echo "$rest"
    echo "$first $rest"
  done
}

# built FILE TARGET [COMPONENT...]: what a kustomization that names them as a reader would makes
built() {
  local file=$1 target=$2 component
  shift 2
  mkdir -p "$work/any"
  {
    echo "apiVersion: kustomize.config.k8s.io/v1beta1"
    echo "kind: Kustomization"
    echo "resources: [$k8s/$target]"
    [ "$#" -eq 0 ] || echo "components:"
    for component in "$@"; do echo "  - $k8s/components/$component"; done
  } >"$work/any/kustomization.yaml"
  kustomize build "$work/any" >"$file" && [ "$(grep -c '^kind:' "$file")" -ge 4 ]
}

valid() {
  kubernetes-validate --strict --quiet "$@"
}

mapfile -t components < <(cd k8s/components && printf '%s\n' *)
mapfile -t targets < <(cd k8s && printf '%s\n' base overlays/*)
names=() files=() failed=0

report() {
  if [ "$1" = ok ]; then
    echo "ok $2"
  else
    echo "not ok $2"
    printf '%s\n' "$3" | sed 's/^/  /'
    failed=1
  fi
}

while IFS= read -r set; do
  for target in "${targets[@]}"; do
    name="kubernetes $target${set:+ with ${set% }}"
    file="$work/${#names[@]}.yaml"
    # shellcheck disable=SC2086 # one word per component
    if output=$(built "$file" "$target" $set 2>&1); then
      names+=("$name")
      files+=("$file")
    else
      report "not ok" "$name" "$output"
    fi
  done
done < <(sets "${components[@]}")
if output=$(kustomize build k8s 2>&1 >"$work/k8s.yaml"); then
  names+=("kubernetes k8s")
  files+=("$work/k8s.yaml")
else
  report "not ok" "kubernetes k8s" "$output"
fi

# All in one process is much faster; each by itself names the one that is not valid.
if valid "${files[@]}" >/dev/null 2>&1; then
  for name in "${names[@]}"; do report ok "$name"; done
else
  for i in "${!names[@]}"; do
    if output=$(valid "${files[$i]}" 2>&1); then report ok "${names[$i]}"; else report "not ok" "${names[$i]}" "$output"; fi
  done
fi
exit "$failed"
