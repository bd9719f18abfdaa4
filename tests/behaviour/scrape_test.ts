import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { usageError } from "../support/fixture.ts";
import { startProgram } from "../support/program.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";

/** A classic histogram of so many values of 0.05 and of 5. */
function exposition(low: number, high: number): string {
  return `# HELP h_seconds How long.
# TYPE h_seconds histogram
h_seconds_bucket{code="200",le="0.1"} ${low}
h_seconds_bucket{code="200",le="1"} ${low}
h_seconds_bucket{code="200",le="+Inf"} ${low + high}
h_seconds_sum{code="200"} ${low * 0.05 + high * 5}
h_seconds_count{code="200"} ${low + high}
`;
}

/** Answers each scrape as the last that was told. */
function startTarget(answer: (scrape: number, request: Request) => Response | Promise<Response>) {
  let scrapes = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    return answer(++scrapes, request);
  });
  const url = `http://127.0.0.1:${server.addr.port}/metrics`;
  return { url, [Symbol.asyncDispose]: () => server.shutdown() };
}

const text = (body: string, status = 200) =>
  new Response(body, { status, headers: { "content-type": "text/plain; version=0.0.4" } });
const pointsOf = ({ requests }: Receiver) =>
  requests.flatMap(({ content }) => decode(content).metrics).flatMap(({ points }) => points);
const argsOf = (receiver: Receiver, url: string, ...more: readonly string[]) => [
  ...["--endpoint", receiver.url, "--scrape", url, "--loop", "--interval", "0.3"],
  ...["--service", "scraped"],
  ...more,
];

Deno.test("--scrape sends what is added between two scrapes, across a reset and a failure", async () => {
  const answers = [
    text(exposition(5, 5)), // the base line
    text(exposition(7, 5)),
    text("busy", 503),
    text(exposition(9, 6)),
    text(exposition(1, 0)), // a restart
    text(exposition(1, 0)),
  ];
  const headers: (string | null)[] = [];
  await using target = startTarget((scrape, { headers: sent }) => {
    headers.push(sent.get("accept"), sent.get("x-team"));
    return answers[scrape - 1] ?? text(exposition(1, 0));
  });
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: argsOf(receiver, target.url, "--attr", "host=h", "--scrape-header", "X-Team=S3CRET"),
  });
  await receiver.waitForRequests(3);
  program.signal("SIGTERM");
  const { status, stdout, stderr } = await program.finished;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /first scrape: 1 histogram, nothing to send yet/);
  assert.match(stdout, /1 histogram was reset since the previous scrape/);
  assert.match(
    stderr,
    /^WARNING: the scrape of \S+ failed: status 503; the next successful scrape includes/,
  );
  const points = pointsOf(receiver);
  assert.deepEqual(points.map(({ counts }) => counts), [[2, 0, 0], [2, 0, 1], [1, 0, 0]]);
  assert.deepEqual(points.map(({ sum = NaN }) => Math.round(sum * 100)), [10, 510, 5]);
  assert.deepEqual(points[0]?.attributes, { code: "200", host: "h" });
  // The failed one's interval is joined to the next.
  points.forEach(({ start }, i) => assert.equal(start, points[i - 1]?.end ?? start));
  const [metric] = receiver.requests.flatMap(({ content }) => decode(content).metrics);
  assert.deepEqual(
    [metric?.name, metric?.unit, metric?.description, metric?.temporality],
    ["h_seconds", "s", "How long.", "delta"],
  );
  assert.match(headers[0] ?? "", /^application\/openmetrics-text;version=1\.0\.0/);
  assert.equal(headers[1], "S3CRET");
  assert.ok(!`${stdout}${stderr}`.includes("S3CRET"));
});

Deno.test("--scrape unpacks gzip, gives each family a metric, and takes families that appear later", async () => {
  const other = `# TYPE size_bytes histogram
size_bytes_bucket{le="10"} 3
size_bytes_bucket{le="+Inf"} 3
size_bytes_sum 6
size_bytes_count 3
`;
  await using target = startTarget((scrape) => {
    const body = exposition(scrape, 0) + (scrape > 1 ? other : "");
    const packed = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Response(packed, { headers: { "content-encoding": "gzip" } });
  });
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: argsOf(receiver, target.url, "--iterations", "1"),
  });
  const { status, stderr } = await program.finished;
  assert.equal(status, 0, stderr);
  const metrics = receiver.requests.flatMap(({ content }) => decode(content).metrics);
  assert.deepEqual(metrics.map(({ name, unit }) => [name, unit]), [
    ["h_seconds", "s"],
    ["size_bytes", "By"],
  ]);
  assert.deepEqual(metrics.map(({ points }) => points[0]?.count), [1, 3]);
});

Deno.test("--scrape says once what contradicts itself, and counts it as invalid", async () => {
  await using target = startTarget((scrape) =>
    text(`${exposition(scrape, 0)}# TYPE bad histogram\nbad_bucket{le="1"} ${scrape}\n`)
  );
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: argsOf(receiver, target.url, "--iterations", "2"),
  });
  const { status, stdout, stderr } = await program.finished;
  assert.equal(status, 1);
  assert.equal(stderr, 'WARNING: not used: bad: it has no bucket with le="+Inf"\n');
  assert.match(stdout, /^Delivered 2 of 2 measurements in 2 sends; 1 invalid\.$/m);
});

Deno.test("--scrape ends with 1 when the endpoint never answered, and says what may be wrong", async () => {
  await using target = startTarget(() => text("nothing here", 404));
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: argsOf(receiver, target.url, "--duration", "0.5"),
  });
  const { status, stderr } = await program.finished;
  assert.equal(status, 1);
  assert.match(
    stderr,
    /status 404; the first successful scrape is the baseline\. Hint: check the path/,
  );
  assert.match(stderr, /^ERROR: no scrape of \S+ succeeded: status 404; nothing was sent$/m);
});

Deno.test("--iterations counts the intervals of --scrape, with and without something to send", async () => {
  const bad = text("busy", 503);
  const nothing = text(exposition(5, 5));
  const more = text(exposition(6, 5));
  const cases = [
    { answers: [bad, bad, bad, bad], sends: 0, status: 1, warnings: 1 },
    { answers: [nothing, nothing, nothing, nothing], sends: 0, status: 0, warnings: 0 },
    { answers: [bad, nothing, nothing, more], sends: 1, status: 0, warnings: 1 },
    { answers: [nothing, bad, bad, more], sends: 1, status: 0, warnings: 1 },
    { answers: [nothing, more, bad, bad], sends: 1, status: 1, warnings: 1 },
  ];
  for (const { answers, sends, status, warnings } of cases) {
    let scrapes = 0;
    await using target = startTarget((scrape) => {
      scrapes = scrape;
      return answers[scrape - 1]?.clone() ?? text("too many", 500);
    });
    await using receiver = await startReceiver();
    await using program = await startProgram({
      args: argsOf(receiver, target.url, "--iterations", "3", "--output", "json"),
    });
    const outcome = await program.finished;
    const printed = outcome.stdout.trim().split("\n").map((line) => JSON.parse(line));
    const types = printed.map(({ type }) => type);
    // The first reading is the base line, or lacks it.
    assert.equal(scrapes, 4);
    assert.deepEqual(types, [...Array(sends).fill("send"), "summary"]);
    assert.equal(outcome.status, status, outcome.stderr);
    const lines = outcome.stderr.trim().split("\n").filter((line) => line.includes("warning"));
    assert.equal(lines.length, warnings, outcome.stderr);
    assert.doesNotMatch(outcome.stderr, /broke off/);
  }
});

Deno.test("a file of a Prometheus exposition is sent once, with all that it holds", async () => {
  for (const format of [[], ["--input-format", "prometheus"]]) {
    const sent = await measure({
      args: ["--input", "batch.prom", "--attr", "host=h", ...format],
      files: { "batch.prom": exposition(3, 4) },
    });
    assert.equal(sent.metrics[0]?.name, "h_seconds");
    assert.deepEqual(sent.points.map(({ counts, attributes }) => [counts, attributes]), [
      [[3, 0, 4], { code: "200", host: "h" }],
    ]);
    assert.equal(sent.summary["delivered"], 7);
  }
});

Deno.test("a file of several expositions counts each once, and says what it leaves out", async () => {
  const native =
    `# TYPE n histogram\nn_bucket{le="+Inf"} 3\nn_sum 1\nn_count 3\n# TYPE o histogram\n` +
    "o {count:17,sum:3.5,schema:0,zero_threshold:0.1,zero_count:1}\n";
  const sent = await measure({
    args: ["--input", "two.om"],
    files: { "two.om": `${exposition(3, 4)}# EOF\n${native}${exposition(1, 1)}# EOF\n` },
    said: [
      /^not used: o is a native histogram, or has no bounds: it is left out/,
      /^not used: n is a native histogram, or has no bounds: it is left out/,
    ],
  });
  assert.deepEqual(sent.points.map(({ counts }) => counts), [[4, 0, 5]]);
  assert.deepEqual([sent.summary["delivered"], sent.summary["invalid"]], [9, 0]);
});

Deno.test("a file that begins with a metric's name in quotes is an exposition", async () => {
  const labels = '"http.method"="GET"';
  const sent = await measure({
    args: ["--input", "utf8"],
    files: {
      utf8: `{"http.server.duration_bucket", ${labels}, le="5"} 1
{"http.server.duration_bucket", ${labels}, le="+Inf"} 2
{"http.server.duration_sum", ${labels}} 12
{"http.server.duration_count", ${labels}} 2
# TYPE "http.server.duration" histogram
`,
    },
  });
  assert.equal(sent.metrics[0]?.name, "http.server.duration");
  assert.deepEqual(sent.points.map(({ counts, attributes }) => [counts, attributes]), [
    [[1, 1], { "http.method": "GET" }],
  ]);
});

const scrape = (...args: readonly string[]) => ({ args: ["--endpoint", "{url}", ...args] });

testFixtures([
  usageError(
    "--scrape without --loop is exit 2",
    scrape("--scrape", "http://h/metrics"),
    "ERROR: --scrape sends the increase between two scrapes: add --loop (and --interval)",
  ),
  usageError(
    "--scrape of what is no URL is exit 2, and hides what may be secret in it",
    scrape("--scrape", "user:S3CRET@host", "--loop"),
    /^ERROR: Invalid --scrape "\*\*\*@host" \(command line\): expected an http or https URL/,
  ),
  usageError(
    "--metric beside --scrape is exit 2",
    scrape("--scrape", "http://h/metrics", "--loop", "--metric", "m"),
    /^ERROR: --metric has no effect with --scrape/,
  ),
  usageError(
    "--metric for an exposition is exit 2, though only its first line tells that it is one",
    { ...scrape("--input", "in", "--metric", "m", "--quiet"), files: { in: exposition(1, 1) } },
    /^ERROR: --metric has no effect on a Prometheus exposition/,
  ),
]);
