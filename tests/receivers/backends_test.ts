import assert from "node:assert/strict";
import { backendAt, derivedQueryBase } from "../../src/receivers/backends.ts";
import type { BackendName } from "../../src/receivers/backend.ts";
import { each } from "../support/cases.ts";

const CASES: readonly (readonly [string, BackendName | undefined, string | undefined])[] = [
  [
    "https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics",
    undefined,
    "grail https://abc.apps.dynatrace.com/",
  ],
  [
    "https://abc.dev.dynatracelabs.com/api/v2/otlp/v1/metrics",
    undefined,
    "grail https://abc.dev.apps.dynatracelabs.com/",
  ],
  [
    "https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics",
    "metrics-v2",
    "metrics-v2 https://abc.live.dynatrace.com/",
  ],
  ["https://h:9999/e/abc/api/v2/otlp/v1/metrics", undefined, "metrics-v2 https://h:9999/e/abc"],
  ["https://h/e/abc/api/v2/otlp/v1/metrics", "grail", undefined],
  ["http://h:8428/opentelemetry/v1/metrics", undefined, "prometheus http://h:8428/"],
  ["http://h/vm/opentelemetry/v1/metrics", undefined, "prometheus http://h/vm/"],
  ["http://h:8480/insert/0/opentelemetry/v1/metrics", undefined, undefined],
  ["http://h:9090/api/v1/otlp/v1/metrics", undefined, "prometheus http://h:9090/"],
  ["http://h:4318/v1/metrics", undefined, undefined],
  ["http://h:4318/v1/metrics", "prometheus", undefined],
];

each(
  CASES,
  ([url, backend, base]) => `derivedQueryBase() of ${url} and ${backend} is ${base}`,
  ([url, backend, base]) => {
    const derived = derivedQueryBase({ url: new URL(url) }, backend);
    assert.equal(derived && `${derived.backend} ${derived.url.href}`, base);
  },
);

each(
  [
    ["https://abc.apps.dynatrace.com", "grail"],
    ["https://abc.live.dynatrace.com", "metrics-v2"],
    ["https://h/e/abc", "metrics-v2"],
    ["http://h:9090", undefined],
  ] as const,
  ([url, backend]) => `backendAt() of ${url} is ${backend}`,
  ([url, backend]) => assert.equal(backendAt(new URL(url)), backend),
);
