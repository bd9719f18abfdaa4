import assert from "node:assert/strict";
import fc from "fast-check";
import { histogramsOf } from "../../../src/source/prometheus/cumulative.ts";
import { parseExposition } from "../../../src/source/prometheus/exposition.ts";

const PLAIN = `# HELP http_request_duration_seconds How long \\\\ it took\\nin all.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{method="GET",path="/a \\"b\\" \\\\ \\n{}",le="0.1"} 3
http_request_duration_seconds_bucket{method="GET",path="/a \\"b\\" \\\\ \\n{}",le="1"} 5 1395066363000
http_request_duration_seconds_bucket{method="GET",path="/a \\"b\\" \\\\ \\n{}",le="+Inf",} 6
http_request_duration_seconds_sum{method="GET",path="/a \\"b\\" \\\\ \\n{}"} 3.5
http_request_duration_seconds_count{method="GET",path="/a \\"b\\" \\\\ \\n{}"} 6
# TYPE up gauge
up 1
`;

const OPEN = `# TYPE job_size histogram
# UNIT job_size bytes
# HELP job_size Size of a job.
job_size_bucket{le="1e+06"} 1 # {trace_id="KOO5S4vxi0o"} 0.67
job_size_bucket{le="+Inf"} 2 # {trace_id="oHg5SJYRHA0"} 9.8 1520879607.789
job_size_count 2
job_size_sum 2.5e6
job_size_created 1520430000.123
# EOF
after 1
`;

Deno.test("histogramsOf() reads the text format, with escapes, time stamps and a last comma", () => {
  const { histograms, families, problems } = histogramsOf(parseExposition(PLAIN));
  assert.deepEqual(problems, []);
  assert.deepEqual(histograms, [{
    name: "http_request_duration_seconds",
    attributes: { method: "GET", path: '/a "b" \\ \n{}' },
    bounds: [0.1, 1],
    counts: [3, 2, 1],
    count: 6,
    sum: 3.5,
    created: undefined,
  }]);
  assert.deepEqual(families, [{
    name: "http_request_duration_seconds",
    unit: "s",
    description: "How long \\ it took\nin all.",
  }]);
});

Deno.test("histogramsOf() reads OpenMetrics, with exemplars, units, creation times and its end", () => {
  const exposition = parseExposition(OPEN);
  assert.ok(!exposition.samples.some(({ name }) => name === "after"));
  const { histograms, families } = histogramsOf(exposition);
  assert.deepEqual(histograms, [{
    name: "job_size",
    attributes: {},
    bounds: [1e6],
    counts: [1, 1],
    count: 2,
    sum: 2.5e6,
    created: 1520430000123,
  }]);
  assert.deepEqual(families, [{ name: "job_size", unit: "By", description: "Size of a job." }]);
});

Deno.test("histogramsOf() reads names in quotes, as Prometheus writes those of UTF-8", () => {
  const text = `# TYPE "http.server.duration" histogram
{"http.server.duration_bucket","http.method"="GET",le="5"} 1
{"http.server.duration_bucket", "http.method"="GET", le="+Inf"} 1
`;
  const { histograms: [histogram] } = histogramsOf(parseExposition(text));
  assert.equal(histogram?.name, "http.server.duration");
  assert.deepEqual(histogram?.attributes, { "http.method": "GET" });
  assert.equal(histogram?.sum, undefined);
});

Deno.test("histogramsOf() leaves out what is no classic histogram", () => {
  const text = `# TYPE a summary
a{quantile="0.5"} 1
a_sum 1
a_count 1
# TYPE b gaugehistogram
b_bucket{le="+Inf"} 1
b_gcount 1
c_bucket{le="+Inf"} 1
`;
  assert.deepEqual(histogramsOf(parseExposition(text)).histograms, []);
});

Deno.test("histogramsOf() names what contradicts itself", () => {
  const cases: Record<string, RegExp> = {
    'h_bucket{le="1"} 1': /no bucket with le="\+Inf"/,
    'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1':
      /le="Infinity" holds 1, fewer than the one before, 2/,
    'h_bucket{le="+Inf"} 1\nh_count 2': /count is 2, but its last bucket holds 1/,
    'h_bucket{le="+Inf"} 1.5': /no whole number/,
    'h_bucket{x="y"} 1': /without a bound/,
    'h_bucket{le="nope"} 1': /without a bound/,
    "h_bucket{le} 1": /line 2: its labels/,
    "h_bucket x": /line 2: its value is no number/,
    "{} 1": /line 2: it does not begin with the name/,
  };
  for (const [lines, expected] of Object.entries(cases)) {
    const { problems } = histogramsOf(parseExposition(`# TYPE h histogram\n${lines}\n`));
    assert.match(problems[0] ?? "none", expected, lines);
  }
});

Deno.test("parseExposition() reads whatever labels hold, and throws for no text", () => {
  const escaped = (text: string) =>
    text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const value = fc.string({ unit: "grapheme" }).filter((text) =>
    !/[\r\u2028\u2029\v\f]/.test(text)
  );
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/), value), (labels) => {
      const list = Object.entries(labels).map(([key, held]) => `${key}="${escaped(held)}"`).join(
        ",",
      );
      const { samples, problems } = parseExposition(`m{${list}} 1.5e3\n`);
      assert.deepEqual(problems, []);
      assert.deepEqual({ ...samples[0]?.labels }, { ...labels });
      assert.equal(samples[0]?.value, 1500);
    }),
    { seed: 7, numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
      histogramsOf(parseExposition(text));
    }),
    { seed: 8, numRuns: 500 },
  );
});
