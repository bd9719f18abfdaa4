import assert from "node:assert/strict";
import fc from "fast-check";
import { readHistograms, type ScrapeReading } from "../../../src/source/prometheus/cumulative.ts";
import { readExposition, type Sample } from "../../../src/source/prometheus/exposition.ts";

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
`;

function read(text: string): ScrapeReading {
  const reading = readHistograms(text);
  assert.ok(typeof reading !== "string");
  return reading;
}

/** Everything that a reading reports, in the order in which people are told. */
function problemsOf({ unreadable, unusable }: ScrapeReading): readonly string[] {
  return [
    ...unreadable.map(({ line, reason }) => `line ${line}: ${reason}`),
    ...unusable.map(({ problem }) => problem),
  ];
}

/** The histograms without their keys. */
function histogramsOf(reading: ScrapeReading) {
  return reading.histograms.map(({ key: _, ...histogram }) => histogram);
}

Deno.test("readHistograms() reads the text format, with escapes, time stamps and a last comma", () => {
  const reading = read(PLAIN);
  assert.deepEqual(problemsOf(reading), []);
  assert.ok(reading.isWhole);
  assert.deepEqual(histogramsOf(reading), [{
    name: "http_request_duration_seconds",
    attributes: { method: "GET", path: '/a "b" \\ \n{}' },
    bounds: [0.1, 1],
    below: [3, 5, 6],
    sum: 3.5,
    created: undefined,
  }]);
  assert.deepEqual(reading.families, [{
    name: "http_request_duration_seconds",
    unit: "s",
    description: "How long \\ it took\nin all.",
  }]);
});

Deno.test("readHistograms() reads OpenMetrics, with exemplars, units, creation times and its end", () => {
  const reading = read(OPEN);
  assert.deepEqual(histogramsOf(reading), [{
    name: "job_size",
    attributes: {},
    bounds: [1e6],
    below: [1, 2],
    sum: 2.5e6,
    created: 1520430000123,
  }]);
  assert.deepEqual(reading.families, [{
    name: "job_size",
    unit: "By",
    description: "Size of a job.",
  }]);
});

Deno.test("readHistograms() reads names in quotes, as Prometheus writes those of UTF-8", () => {
  const text = `# TYPE "http.server.duration" histogram
{"http.server.duration_bucket","http.method"="GET",le="5"} 1
{"http.server.duration_bucket", "http.method"="GET", le="+Inf"} 1
`;
  const { histograms: [histogram] } = read(text);
  assert.equal(histogram?.name, "http.server.duration");
  assert.deepEqual(histogram?.attributes, { "http.method": "GET" });
  assert.equal(histogram?.sum, undefined);
});

Deno.test("readHistograms() leaves out what is no classic histogram", () => {
  const text = `# TYPE a summary
a{quantile="0.5"} 1
a_sum 1
a_count 1
# TYPE b gaugehistogram
b_bucket{le="+Inf"} 1
b_gcount 1
c_bucket{le="+Inf"} 1
`;
  assert.deepEqual(read(text).histograms, []);
});

Deno.test("readHistograms() names what contradicts itself", () => {
  const cases: Record<string, RegExp> = {
    'h_bucket{le="1"} 1': /no bucket with le="\+Inf"/,
    'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1': /le="\+Inf" holds 1, fewer than the one before, 2/,
    'h_bucket{le="+Inf"} 1\nh_count 2': /count is 2, but its last bucket holds 1/,
    'h_bucket{le="+Inf"} 1.5': /not a whole number/,
    'h_bucket{x="y"} 1': /without a bound/,
    'h_bucket{le="nope"} 1': /without a bound/,
    'h_bucket{le="1"} 1\nh_bucket{le="1.0"} 2\nh_bucket{le="+Inf"} 2': /le="1" holds 1 and 2/,
    'h_bucket{le="+Inf"} 1\nh_bucket{le="+Inf"} 2': /le="\+Inf" holds 1 and 2/,
    'h_bucket{le="+Inf"} 1\nh_sum 1\nh_sum 2': /two values of sum, 1 and 2/,
    'h_bucket{le="+Inf"} 1\nh_count 1\nh_count 2': /two values of count, 1 and 2/,
    "h_bucket{le} 1": /line 2: its labels/,
    'h_bucket{le="1} 1': /line 2: its labels/,
    'h_bucket{le="1",le="2"} 1': /line 2: it has the label le twice/,
    'h_bucket{a="1",a="2",le="2"} 1': /line 2: it has a label twice/,
    "h_bucket x": /line 2: its value is not a number/,
    "{} 1": /line 2: it does not start with a metric name/,
    [`h_bucket{a="${"x".repeat(2 ** 20)}",le="1"} 1`]: /line 2: it is longer than 1 MiB/,
  };
  for (const [lines, expected] of Object.entries(cases)) {
    const [problem = "none"] = problemsOf(read(`# TYPE h histogram\n${lines}\n`));
    assert.match(problem, expected, lines.slice(0, 100));
  }
});

Deno.test("readHistograms() takes what is said twice in the same way once", () => {
  const reading = read(`# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 2
h_sum NaN
h_sum NaN
h_count 2
h_count 2
`);
  assert.deepEqual(problemsOf(reading), []);
  assert.deepEqual(reading.histograms.map(({ below }) => below), [[1, 2]]);
});

Deno.test("readHistograms() does not look at lines of other types", () => {
  const { unreadable, isWhole } = read(`# TYPE h histogram\nup nil\nbroken{ 1,5\n`);
  assert.deepEqual([unreadable, isWhole], [[], true]);
});

Deno.test("readHistograms() knows a native histogram by its single bucket, or by its composite value", () => {
  const buckets = (name: string, ...lines: readonly string[]) =>
    [`# TYPE ${name} histogram`, ...lines.map((line) => `${name}_bucket${line}`), ""].join("\n");
  const text = buckets("native", '{le="+Inf"} 7') +
    buckets("idle", '{le="+Inf"} 0') +
    // Shows a bucket only once it was hit.
    buckets("lazy", '{s="a",le="+Inf"} 7', '{s="b",le="5"} 1', '{s="b",le="+Inf"} 1') +
    "# TYPE open histogram\n" +
    'open{s="a"} {count:17,sum:3.5,schema:0,zero_threshold:0.1,zero_count:1} # {} 1\n' +
    "# TYPE both histogram\nboth {count:1,sum:1,schema:0,zero_threshold:0.1,zero_count:1}\n" +
    'both_bucket{le="5"} 1\nboth_bucket{le="+Inf"} 1\n';
  const { native, unreadable } = read(text);
  assert.deepEqual(Object.fromEntries(native), { native: true, idle: false, open: true });
  assert.deepEqual(unreadable, []);
});

Deno.test("readHistograms() knows a text that may lack something", () => {
  const whole = '# TYPE h histogram\nh_bucket{le="+Inf"} 10\nh_sum 123.4\nh_count 10\n';
  const isWhole = (text: string) => read(text).isWhole;
  assert.ok(isWhole(whole));
  assert.ok(isWhole("# EOF\n"));
  // Its number can be compared.
  assert.ok(isWhole(whole.trimEnd()));
  for (const text of ["", "OK\n", "up 1\n", "# a comment\n", `${whole}h_bucket{le=\n`]) {
    assert.ok(!isWhole(text), text);
  }
  for (let end = 0; end < whole.length - 1; end++) {
    const reading = read(whole.slice(0, end));
    const usable = reading.histograms.map(({ below, sum }) => [below, sum]);
    const isKnownToLack = !reading.isWhole || usable.length === 0;
    // An end between two lines shows in what the histogram lacks.
    assert.ok(isKnownToLack || usable[0]?.[1] === undefined || usable[0][1] === 123.4, `${end}`);
    for (const [below, sum] of usable) {
      assert.deepEqual(below, [10], whole.slice(0, end));
      assert.ok(sum === undefined || sum === 123.4, whole.slice(0, end));
    }
  }
});

Deno.test("readHistograms() bounds what it keeps of a text", () => {
  const garbage = read("!\n".repeat(1e6));
  assert.equal(garbage.unreadable.length, 1000);
  const labels = Array.from({ length: 20_000 }, (_, i) => `l${i}=""`).join();
  const lines = Array.from({ length: 60 }, (_, i) => `h_count{i="${i}",${labels}} 1\n`).join("");
  assert.equal(
    readHistograms(`# TYPE h histogram\n${lines}`),
    "it has more than 500,000 histograms and labels",
  );
});

Deno.test("readExposition() reads whatever labels hold, and throws for no text", () => {
  const escaped = (text: string) =>
    text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const value = fc.string({ unit: "grapheme" });
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/).filter((text) => text !== "le");
  fc.assert(
    fc.property(fc.dictionary(name, value), value, (labels, help) => {
      const list = Object.entries(labels).map(([key, held]) => `${key}="${escaped(held)}"`).join(
        ",",
      );
      const samples: Sample[] = [];
      const text = `# HELP m ${escaped(help)}\n# TYPE m histogram\nm_sum{${list}} 1.5e3\n`;
      const { unreadable, helps } = readExposition(text, (sample) => samples.push(sample) > 0);
      assert.deepEqual(unreadable, []);
      assert.deepEqual({ ...samples[0]?.labels }, { ...labels });
      assert.equal(samples[0]?.value, 1500);
      assert.equal(helps.get("m")?.trim(), help.trim());
    }),
    { seed: 7, numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
      readHistograms(`# TYPE h histogram\nh_bucket${text}`);
      readHistograms(text);
    }),
    { seed: 8, numRuns: 500 },
  );
});

Deno.test("readHistograms() names metrics that have buckets but are not of a histogram", () => {
  const reading = readHistograms(`a_bucket{le="1"} 1
a_bucket{le="+Inf"} 1
# TYPE b gauge
b{api="x", le = "1"} 1
b{api="x",le="1"} 1
c_bucket{role="1",vmrange="1.0e0...2.0e0"} 1
d{handle="1"} 1
e{x=",le=1"} 1
# TYPE f histogram
f_bucket{vmrange="1.0e0...2.0e0"} 1
f_count 1
`);
  assert.ok(typeof reading !== "string");
  const vmrange = "its buckets are VictoriaMetrics' vmrange, which have no bound le";
  const untyped = "it has buckets, but no line declares its TYPE as histogram";
  assert.deepEqual([...reading.untyped], [["a_bucket", untyped], ["b", untyped], [
    "c_bucket",
    vmrange,
  ]]);
  assert.deepEqual(reading.unusable.map(({ problem }) => problem), [
    `f{vmrange="1.0e0...2.0e0"}: ${vmrange}`,
    'f: it has no bucket with le="+Inf"',
  ]);
});
