import assert from "node:assert/strict";
import { inDirectory } from "../support/directory.ts";
import { startCollectorTo, startPrometheus } from "../support/metric_stores.ts";
import { missing, namedUnless } from "../support/tools.ts";
import { marksOf, type Verified, verify } from "../support/verify.ts";

// The program against a real Prometheus behind a real Collector that changes or drops what passes through it.

const reason = missing("PROMETHEUS") ?? missing("OTELCOL_FILTER");

/** Processors of a Collector, as YAML by name. */
type Processors = Readonly<Record<string, string>>;

async function behind(
  processors: Processors,
  work: (verifyWith: (...args: readonly string[]) => Promise<Verified>) => Promise<void>,
): Promise<void> {
  await inDirectory(async (directory) => {
    await using store = await startPrometheus(directory, "otlp-deltatocumulative");
    const otlp = `${store.url}/api/v1/otlp/v1/metrics`;
    await using collector = await startCollectorTo(otlp, processors, "OTELCOL_FILTER");
    await work((...args) =>
      verify({
        args: ["--endpoint", collector.url, "--query-url", store.url, "--wait", "5", ...args],
      })
    );
  });
}

/** Pipelines, and the cause that is the hint of the step `visible`. */
const CHANGES: readonly (readonly [string, Processors, RegExp])[] = [
  [
    "drops the attribute",
    { attributes: '{actions: [{key: "otlp_histogram.run", action: delete}]}' },
    /^the metric is there, but without the attribute otlp_histogram\.run of this run.*look for an attributes or transform processor/,
  ],
  [
    "adds up all attributes but one",
    {
      metricstransform:
        "{transforms: [{include: otlp_histogram.verify, action: update, operations: [{action: aggregate_labels, " +
        "label_set: [team], aggregation_type: sum}]}]}",
    },
    /^the metric is there, but without the attribute otlp_histogram\.run of this run; its labels are .*team/,
  ],
  [
    "renames the metric",
    {
      metricstransform:
        "{transforms: [{include: otlp_histogram.verify, action: update, new_name: shop.verify}]}",
    },
    /^the metric is there under another name, shop[._]verify\S*, with otlp_histogram[._]run=/,
  ],
  [
    "filters the metric out",
    {
      filter: "{metrics: {metric: ['name == \"otlp_histogram.verify\"']}}",
    },
    /^the backend has no series of otlp_histogram\.verify.*; check that.*read the Collector's log/,
  ],
];

for (const [what, processors, cause] of CHANGES) {
  Deno.test({
    ...namedUnless(reason, `verify says that a Collector ${what}`),
    fn: () =>
      behind(processors, async (verifyWith) => {
        const verified = await verifyWith("--attr", "team=blue");
        assert.deepEqual(marksOf(verified), ["sent ✓", "visible ✗"], verified.stdout);
        assert.match(verified.step("visible").hint ?? "", cause);
        assert.equal(verified.status, 1);
      }),
  });
}

Deno.test({
  ...namedUnless(reason, "verify says that a Collector throws away every second data point"),
  fn: () =>
    behind({
      filter: '{metrics: {datapoint: [\'attributes["turn"] == "even"\']}}',
    }, async (verifyWith) => {
      for (const round of [1, 2]) {
        const odd = await verifyWith("--attr", "turn=odd");
        assert.equal(odd.status, 0, `round ${round}: ${odd.stdout}${odd.stderr}`);
        const even = await verifyWith("--attr", "turn=even");
        assert.deepEqual(marksOf(even), ["sent ✓", "visible ✗"], even.stdout);
        assert.match(
          even.step("visible").hint ?? "",
          /^earlier runs of this metric are there, but not this one: the path works, but not for every data point; look for a filter/,
        );
      }
    }),
});
