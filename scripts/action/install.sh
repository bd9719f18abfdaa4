#!/usr/bin/env bash
# First step of action.yml: downloads the executable of a release, compares its checksum, and puts it on the PATH of the
# steps that follow. OTLP_HISTOGRAM_RELEASES is another place of the releases, such as a mirror or a file:// URL.
set -euo pipefail

fail() {
  echo "::error title=otlp-histogram::$1"
  exit 1
}

releases=${OTLP_HISTOGRAM_RELEASES:-https://github.com/ihudak/otlp_histogram/releases/download}
version=${INSTALL_VERSION#v}
if [ -z "$version" ]; then
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$GITHUB_ACTION_PATH/deno.json")
fi

program=otlp-histogram
case "$RUNNER_OS-$RUNNER_ARCH" in
  Linux-X64) file=otlp-histogram-linux-x64 ;;
  Linux-ARM64) file=otlp-histogram-linux-arm64 ;;
  macOS-X64) file=otlp-histogram-macos-x64 ;;
  macOS-ARM64) file=otlp-histogram-macos-arm64 ;;
  Windows-X64) file=otlp-histogram-windows-x64.exe program=otlp-histogram.exe ;;
  *) fail "No release has an executable for $RUNNER_OS on $RUNNER_ARCH. Use a runner with Linux, macOS or Windows on X64, or with Linux or macOS on ARM64." ;;
esac

directory="$RUNNER_TEMP/otlp-histogram-$version"
mkdir -p "$directory"
for name in "$file" SHA256SUMS; do
  curl --fail --silent --show-error --location --retry 3 --output "$directory/$name" "$releases/v$version/$name" ||
    fail "Cannot download $releases/v$version/$name. Check the input version, \"$version\"."
done

cd "$directory"
# sha256sum writes a second space before the name, or a star.
grep -E "^[0-9a-f]{64} [ *]$file\$" SHA256SUMS >sum || fail "SHA256SUMS of release $version does not name $file."
if command -v sha256sum >/dev/null; then
  sha256sum --check --status sum
else
  shasum --algorithm 256 --check --status sum
fi || fail "The checksum of $file differs from the one in SHA256SUMS of release $version. Run the job again."

mv -f "$file" "$program"
chmod +x "$program"
echo "$directory" >>"$GITHUB_PATH"
echo "Installed otlp-histogram $("./$program" --version)"
