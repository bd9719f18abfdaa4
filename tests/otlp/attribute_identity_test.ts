import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { scopeIdentity } from "../../src/otlp/attribute_identity.ts";
import { InstrumentationScopeSchema } from "../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";

type ScopeInit = MessageInitShape<typeof InstrumentationScopeSchema>;

function identity(scope: ScopeInit | undefined): string {
  return scopeIdentity(scope && create(InstrumentationScopeSchema, scope));
}

function attribute(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}

Deno.test("scopeIdentity() tells scopes apart by name, version and attributes in any order", () => {
  const scopes: readonly ScopeInit[] = [
    {},
    { name: "a" },
    { version: "a" },
    { attributes: [attribute("a", "b")] },
    { attributes: [attribute("a", "c")] },
    { attributes: [attribute("a", "b"), attribute("c", "d")] },
  ];
  assert.equal(new Set(scopes.map(identity)).size, scopes.length);
  assert.equal(
    identity({ attributes: [attribute("a", "b"), attribute("c", "d")] }),
    identity({ attributes: [attribute("c", "d"), attribute("a", "b")] }),
  );
});

Deno.test("scopeIdentity() of a scope that is not set is that of an empty one", () => {
  assert.equal(identity(undefined), identity({}));
});
