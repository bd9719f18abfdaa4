#!/bin/sh
# Writes src/otlp/gen/ from the official OTLP schema: PyPI's opentelemetry-proto holds it as
# descriptors, which buf turns into TypeScript. Needs python3, node with npx, and the two registries.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet \
  opentelemetry-proto==1.45.2 googleapis-common-protos==1.76.0 protobuf==7.36.2

cat >"$work/descriptors.py" <<'PY'
import sys
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import status_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

files = FileDescriptorSet()
seen = set()


def name_fields(message):
    # protoc strips the JSON names that it derives; buf wants them back.
    for field in message.field:
        first, *rest = field.name.split("_")
        field.json_name = first + "".join(word[:1].upper() + word[1:] for word in rest)
    for nested in message.nested_type:
        name_fields(nested)


def add(descriptor):
    if descriptor.name in seen:
        return
    seen.add(descriptor.name)
    for dependency in descriptor.dependencies:
        add(dependency)
    copy_of(descriptor)


def copy_of(descriptor):
    file = files.file.add()
    descriptor.CopyToProto(file)
    for message in file.message_type:
        name_fields(message)
    return file


add(metrics_service_pb2.DESCRIPTOR)
# Only code and message are of use here; details would bring in all the well-known types.
status = copy_of(status_pb2.DESCRIPTOR)
del status.dependency[:]
del status.message_type[0].field[2]
sys.stdout.buffer.write(files.SerializeToString())
PY
"$work/venv/bin/python" "$work/descriptors.py" >"$work/otlp.binpb"

cat >"$work/package.json" <<'JSON'
{ "private": true }
JSON
npm install --silent --no-audit --no-fund --prefix "$work" \
  @bufbuild/buf@1.75.0 @bufbuild/protoc-gen-es@2.17.0 @bufbuild/protobuf@2.17.0

cat >"$work/buf.gen.yaml" <<YAML
version: v2
clean: true
plugins:
  - local: $work/node_modules/.bin/protoc-gen-es
    out: $root/src/otlp/gen
    opt: [target=ts, import_extension=ts]
YAML
cd "$work"
node_modules/.bin/buf generate otlp.binpb --template buf.gen.yaml
