#!/bin/sh
# Passes its arguments to `deno task run`, with the deno on PATH or else the one from npm.
# INIT_CWD is the base of relative paths and of .env; deno sets it only where nobody has, such as npm, before;
# without --quiet it would show the arguments, and a header's value among them.
set -eu

INIT_CWD=$PWD
# With true Deno would send telemetry of its own, to the same endpoint.
OTEL_DENO=false
export INIT_CWD OTEL_DENO

script=$(readlink -f -- "$0")
if command -v deno >/dev/null 2>&1; then
  deno=deno
else
  # Run below npx, deno would outlive a SIGTERM: npx does not pass it on.
  deno=$(npx -y deno@2.9.6 eval --no-config 'console.log(Deno.execPath())')
fi
exec "$deno" task --quiet --config "$(dirname -- "$script")/deno.json" run "$@"
