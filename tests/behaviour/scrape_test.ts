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
  assert.match(stdout, /1 histogram began anew since the scrape before/);
  assert.match(stderr, /^WARNING: the scrape of \S+ failed: status 503; what is added meanwhile/);
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
    /status 404; the first one that succeeds is the base line\. Hint: is the path/,
  );
  assert.match(stderr, /^ERROR: the input broke off: the last scrape failed: status 404/m);
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

const scrape = (...args: readonly string[]) => ({ args: ["--endpoint", "{url}", ...args] });

testFixtures([
  usageError(
    "--scrape without --loop is exit 2",
    scrape("--scrape", "http://h/metrics"),
    "ERROR: --scrape sends what is added between two scrapes: add --loop (and --interval)",
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
