import assert from "node:assert/strict";
import { inDirectory } from "../support/directory.ts";
import {
  startCollectorTo,
  startPrometheus,
  startVictoriaMetrics,
} from "../support/metric_stores.ts";
import { figure } from "../support/figure.ts";
import { missing, namedUnless } from "../support/tools.ts";
import { marksOf, type Verified, verify } from "../support/verify.ts";

// The program against real backends with Prometheus' HTTP API, directly and behind a real Collector.

const BUCKETS = [1, 2, 3, 3, 5, 2, 1, 1, 1, 1, 0, 0];

function assertVerified(verified: Verified): void {
  assert.deepEqual(marksOf(verified), [
    "sent ✓",
    "visible ✓",
    "count ✓",
    "sum ✓",
    "min ?",
    "max ?",
    "percentile ✓",
    "buckets ✓",
  ], verified.stdout + verified.stderr);
  assert.deepEqual(verified.step("count").actual, 20);
  assert.deepEqual(verified.step("buckets").actual, BUCKETS);
  assert.equal(verified.summary["backend"], "prometheus");
  assert.ok(Number(verified.summary["visibleAfterMs"]) >= 0);
  assert.equal(verified.stderr, "");
}

const noVictoriaMetrics = missing("VICTORIAMETRICS");
const noPrometheus = missing("PROMETHEUS");
const noCollector = missing("OTELCOL_CONTRIB");

Deno.test({
  ...namedUnless(noVictoriaMetrics, "verify finds in VictoriaMetrics what it sent"),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startVictoriaMetrics(directory);
      const verified = await verify({
        args: ["--endpoint", `${store.url}/opentelemetry`, "--attr", "team=blue"],
      });
      assertVerified(verified);
      assert.equal(verified.step("visible").hint, null);
      await figure(
        `verify: visible in VictoriaMetrics after ${verified.summary["visibleAfterMs"]} ms`,
      );
      const repeated = await verify({
        args: [
          ...[
            "--endpoint",
            `${store.url}/opentelemetry`,
            "--metric",
            "http.server.request.duration",
          ],
          ...["--repeat", "3", "--interval", "0.5"],
        ],
      });
      assert.equal(repeated.status, 0, repeated.stdout + repeated.stderr);
      assert.equal(repeated.steps.length, 3 * 8);
      const { p50, max } = Object(repeated.summary["visibleAfterMs"]);
      assert.ok(p50 >= 0 && max >= p50);
      assert.deepEqual(
        [repeated.summary["runs"], repeated.summary["metric"]],
        [3, "http.server.request.duration"],
      );
    });
  },
});

Deno.test({
  ...namedUnless(noPrometheus, "verify finds in Prometheus what it sent as deltas"),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startPrometheus(directory, "otlp-deltatocumulative");
      assertVerified(await verify({ args: ["--endpoint", `${store.url}/api/v1/otlp`] }));
    });
  },
});

Deno.test({
  ...namedUnless(
    noPrometheus ?? noCollector,
    "verify finds in Prometheus what a Collector has turned into cumulatives",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startPrometheus(directory);
      await using collector = await startCollectorTo(
        `${store.url}/api/v1/otlp/v1/metrics`,
        { delta_to_cumulative: "{}" },
      );
      assertVerified(
        await verify({ args: ["--endpoint", collector.url, "--query-url", `${store.url}/`] }),
      );
    });
  },
});

const CHANGES = [
  [
    "the attribute is dropped",
    "- {action: labeldrop, regex: otlp_histogram.run}",
    /^the metric is there, but without the attribute otlp_histogram\.run of this run; its labels are .*service\.name/,
  ],
  [
    "the metric is renamed",
    '- {source_labels: [__name__], regex: "otlp_histogram.verify_(.*)", target_label: __name__, replacement: "shop_verify_$1"}',
    /^the metric is there under another name, shop_verify, with otlp_histogram\.run=/,
  ],
  [
    "everything is dropped",
    '- {action: drop, source_labels: [__name__], regex: "otlp_histogram.*"}',
    /^the backend has no series of otlp_histogram\.verify.*; check that.*read the Collector's log/,
  ],
] as const;

for (const [what, relabeling, cause] of CHANGES) {
  Deno.test({
    ...namedUnless(noVictoriaMetrics, `verify says that ${what} on the way`),
    async fn() {
      await inDirectory(async (directory) => {
        await using store = await startVictoriaMetrics(directory, { relabeling });
        const verified = await verify({
          args: ["--endpoint", `${store.url}/opentelemetry`, "--wait", "12"],
        });
        assert.deepEqual(marksOf(verified), ["sent ✓", "visible ✗"]);
        assert.match(verified.step("visible").hint ?? "", cause);
        assert.deepEqual([verified.status, verified.summary["visibleAfterMs"]], [1, null]);
      });
    },
  });
}

Deno.test({
  ...namedUnless(noVictoriaMetrics, "verify names an attribute that did not become a label"),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startVictoriaMetrics(directory, {
        relabeling: "- {action: labeldrop, regex: team}",
      });
      const verified = await verify({
        args: [
          ...["--endpoint", `${store.url}/opentelemetry`],
          ...["--attr", "team=blue", "--attr", "site=a"],
        ],
      });
      assert.equal(verified.status, 0, verified.stdout);
      assert.equal(
        verified.step("visible").hint,
        "the backend does not show team (--attr): check which attributes it stores, and the attributes processors of a Collector",
      );
    });
  },
});
