#!/usr/bin/env bash
# Second step of action.yml: turns its inputs into flags, and runs the commands behind the gate.
set -euo pipefail

flags=(--rules "$GATE_RULES")

# add FLAG VALUE: unless the value is empty
add() {
  [ -z "$2" ] || flags+=("$1" "$2")
}

# add_lines FLAG LINES: the flag once per line, or without a flag the lines themselves
add_lines() {
  local line
  while IFS= read -r line; do
    # Without the blanks around it.
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    [ -z "$line" ] || flags+=(${1:+"$1"} "$line")
  done <<<"$2"
}

add --fail-on "$GATE_FAIL_ON"
add --wait "$GATE_WAIT"
add --junit "$GATE_JUNIT"
add_lines --ignore "$GATE_IGNORE"
add_lines --expect "$GATE_EXPECT"
add_lines "" "$GATE_FLAGS"

commands=$GATE_RUN
# The commands get the environment of their step, without the inputs.
unset GATE_RUN GATE_EXPECT GATE_RULES GATE_FAIL_ON GATE_IGNORE GATE_WAIT GATE_JUNIT GATE_FLAGS
exec otlp-histogram receive "${flags[@]}" -- bash --noprofile --norc -eo pipefail -c "$commands"
