import assert from "node:assert/strict";
import { conventionOf, oldNameHint } from "../../src/aggregate/conventions.ts";
import { each } from "../support/cases.ts";

const REQUEST = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const NONE = { bounds: undefined, renamedTo: undefined };

each(
  [
    { name: "http.server.request.duration", unit: "s", stability: "stable", bounds: REQUEST },
    {
      name: "rpc.server.call.duration",
      unit: "s",
      stability: "release_candidate",
      bounds: REQUEST,
    },
    { name: "http.server.request.body.size", unit: "By", stability: "development" },
    { name: "jvm.gc.duration", unit: "s", stability: "stable", bounds: [0.01, 0.1, 1, 10] },
    {
      name: "otel.sdk.exporter.operation.duration",
      unit: "s",
      stability: "development",
      bounds: [],
    },
    {
      name: "http.server.duration",
      unit: undefined,
      stability: "deprecated",
      renamedTo: "http.server.request.duration",
    },
    {
      name: "rpc.server.duration",
      unit: "ms",
      stability: "deprecated",
      renamedTo: "rpc.server.call.duration",
    },
  ],
  ({ name }) => `conventionOf() knows unit, bounds and present name of ${name}`,
  (row) => assert.deepEqual(conventionOf(row.name), { ...NONE, ...row }),
);

each(
  ["checkout.duration", "http.server.active_requests", "constructor", "", "-"],
  (name) => `conventionOf() returns undefined for ${JSON.stringify(name)}`,
  (name) => assert.equal(conventionOf(name), undefined),
);

each(
  [
    {
      name: "http.server.duration",
      now: /^http\.server\.duration is an old name: .* http\.server\.request\.duration, in s\. /,
    },
    {
      name: "http.server.response.size",
      now: /call this metric http\.server\.response\.body\.size, in By\. /,
    },
    {
      name: "messaging.publish.duration",
      now: /call this metric messaging\.client\.operation\.duration\. /,
    },
  ],
  ({ name }) => `oldNameHint() names the metric that ${name} is now`,
  ({ name, now }) => assert.match(oldNameHint(name) ?? "", now),
);

each(
  ["http.server.request.duration", "rpc.client.request.size", "shop.duration"],
  (name) => `oldNameHint() returns undefined for ${name}`,
  (name) => assert.equal(oldNameHint(name), undefined),
);
