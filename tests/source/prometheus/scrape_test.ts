import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { GetResult } from "../../../src/http/get.ts";
import { INTERRUPTED, timedOut } from "../../../src/http/transport.ts";
import { openScrape } from "../../../src/source/prometheus/open_scrape.ts";
import { type Scrape, ScrapeSource } from "../../../src/source/prometheus/scrape.ts";
import type { Filled, Records } from "../../../src/source/source.ts";
import { concat } from "../../support/http.ts";
import { startReceiver } from "../../support/receiver.ts";
import { SimulatedClock } from "../../support/simulation.ts";
import { StillClock } from "../../support/still_clock.ts";
import { onWire, VERSIONS } from "../../support/wire_response.ts";

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 3_000;
const go = new AbortController().signal;
const ON_THE_WAY = "the next successful scrape includes the increase in between";

/** Counts of each series of a target, low values and high ones. */
type Counted = Readonly<Record<string, readonly [low: number, high: number]>>;

function exposition(counted: Counted): string {
  const lines = ["# TYPE h_seconds histogram"];
  for (const [series, [low, high]] of Object.entries(counted)) {
    lines.push(
      `h_seconds_bucket{series="${series}",le="1"} ${low}`,
      `h_seconds_bucket{series="${series}",le="+Inf"} ${low + high}`,
      `h_seconds_sum{series="${series}"} ${low * 0.5 + high * 2}`,
      `h_seconds_count{series="${series}"} ${low + high}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function answer(counted: Counted): GetResult {
  const headers = new Headers({ "content-type": "text/plain; version=0.0.4" });
  return { kind: "answer", status: 200, headers, text: exposition(counted) };
}

/** Families are not recorded but gathered here: each series with its buckets. */
class Gathered {
  #counts: Record<string, readonly number[]> = {};

  readonly records: Records = {
    add: never,
    addHistograms: never,
    addInstrument: never,
    isFull: false,
  };

  readonly recordFamilies = (
    _: Records,
    exposed: Parameters<Parameters<typeof openScrape>[1]>[1],
  ): number => {
    let measurements = 0;
    for (const { count, counts, attributes } of exposed.flatMap(({ histograms }) => histograms)) {
      this.#counts[String(attributes["series"])] = counts;
      measurements += count;
    }
    return measurements;
  };

  take(): Readonly<Record<string, readonly number[]>> {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }
}

function never(): never {
  throw new Error("Only families are recorded");
}

type Answer = Counted | GetResult | ((...asked: Parameters<Scrape>) => Promise<GetResult>);

/** A source whose target answers one after the other; the last one again and again. */
function scraping(answers: (clock: SimulatedClock) => readonly Answer[], mostSeries = 1000) {
  const clock = new SimulatedClock();
  const start = clock.monotonic();
  const gathered = new Gathered();
  const warnings: string[] = [];
  const notes: string[] = [];
  const script = [...answers(clock)];
  const scrape: Scrape = async (timeoutMs, signal) => {
    const next = script.length > 1 ? script.shift() : script[0];
    if (typeof next === "function") return await next(timeoutMs, signal);
    if (next === undefined) throw new Error("There is no answer");
    return isGot(next) ? next : answer(next);
  };
  const source = new ScrapeSource({
    shown: "http://target/metrics",
    intervalMs: INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
    scrape,
    recordFamilies: gathered.recordFamilies,
    mostSeries,
    clock,
    say: { warn: (message) => warnings.push(message), note: (message) => notes.push(message) },
  });
  let fills = 0;
  return {
    clock,
    source,
    warnings,
    notes,
    /** Fills until the end of the next interval; with what each series gained. */
    async fill(stop = go): Promise<Filled & { readonly gained: ReturnType<Gathered["take"]> }> {
      const until = start + ++fills * INTERVAL_MS;
      const filled = await clock.run(source.fill(gathered.records, until, stop));
      return { ...filled, gained: gathered.take() };
    },
  };
}

function isGot(value: Counted | GetResult): value is GetResult {
  return typeof value["kind"] === "string";
}

/** A target that never answers: it ends at the timeout that it was given, or when it is given up. */
function hung(clock: SimulatedClock): (...asked: Parameters<Scrape>) => Promise<GetResult> {
  return async (timeoutMs, signal) => {
    await clock.sleep(timeoutMs, signal);
    return signal.aborted ? INTERRUPTED : timedOut(timeoutMs);
  };
}

Deno.test("ScrapeSource records nothing of the base line, and then what each interval added", async () => {
  const { fill, clock, notes } = scraping(() => [
    { a: [5, 5] },
    { a: [6, 7] },
    { a: [6, 7] },
    { a: [9, 7] },
  ]);
  const began = clock.wall();
  const first = await fill();
  assert.deepEqual(first.gained, { a: [1, 2] });
  assert.deepEqual(first.interval, { start: began, end: began + INTERVAL_MS });
  assert.deepEqual((await fill()).measurements, 0, "nothing was added");
  const third = await fill();
  assert.deepEqual(third.gained, { a: [3, 0] });
  assert.deepEqual(third.interval, {
    start: began + 2 * INTERVAL_MS,
    end: began + 3 * INTERVAL_MS,
  });
  assert.deepEqual(notes, ["first scrape: 1 histogram, nothing to send yet"]);
});

Deno.test("ScrapeSource gives up a hung scrape at its timeout and joins its interval to the next", async () => {
  const { fill, clock, source, warnings } = scraping((clock) => [
    { a: [1, 0] },
    { a: [2, 0] },
    hung(clock),
    { a: [4, 3] },
  ]);
  const began = clock.wall();
  await fill();
  const empty = await fill();
  assert.deepEqual([empty.measurements, empty.gained, empty.interval], [0, {}, undefined]);
  assert.equal(clock.wall(), began + 2 * INTERVAL_MS + TIMEOUT_MS);
  assert.equal(
    source.status.broken,
    "the last scrape of http://target/metrics failed: no response within 3 s; " +
      "the increase since the previous one is not sent",
  );
  const joined = await fill();
  assert.deepEqual(joined.gained, { a: [2, 3] });
  assert.deepEqual(joined.interval, {
    start: began + INTERVAL_MS,
    end: began + 3 * INTERVAL_MS,
  });
  assert.equal(source.status.broken, undefined);
  assert.deepEqual(warnings, [
    `the scrape of http://target/metrics failed: no response within 3 s; ${ON_THE_WAY}. ` +
    "Hint: increase --timeout, or --interval",
  ]);
});

Deno.test("ScrapeSource waits two seconds at most for a hung scrape after a signal", async () => {
  const stop = new AbortController();
  const { fill, clock } = scraping((clock) => [
    { a: [1, 0] },
    async (timeoutMs, signal) => {
      stop.abort();
      return await hung(clock)(timeoutMs, signal);
    },
  ]);
  const began = clock.monotonic();
  assert.equal((await fill(stop.signal)).measurements, 0);
  assert.equal(clock.monotonic() - began, INTERVAL_MS + 2000);
});

Deno.test("ScrapeSource counts from 0 after a target that was away has restarted", async () => {
  const refused: GetResult = {
    ...timedOut(0),
    cause: "refused",
    message: "connection refused",
  };
  const { fill, notes, warnings } = scraping(() => [
    { a: [100, 10], b: [7, 0] },
    { a: [120, 10], b: [7, 0] },
    refused,
    { a: [4, 1] },
    { a: [5, 1], b: [2, 0] },
  ]);
  assert.deepEqual((await fill()).gained, { a: [20, 0] });
  assert.deepEqual((await fill()).gained, {});
  assert.deepEqual((await fill()).gained, { a: [4, 1] });
  // It was not there right after the restart, and has counted less than before it.
  assert.deepEqual((await fill()).gained, { a: [1, 0], b: [2, 0] });
  assert.match(
    warnings[0] ?? "",
    /connection refused; .* Hint: start the endpoint, or check its port/,
  );
  assert.equal(warnings.length, 1);
  assert.equal(notes.filter((note) => note.includes("reset since")).length, 2);
});

Deno.test("ScrapeSource counts a series that appears in full, and one that was gone for a while from where it was", async () => {
  const { fill, notes } = scraping(() => [
    { a: [1, 1] },
    { a: [1, 1], later: [3, 0] },
    { later: [3, 2] },
    { a: [2, 4], later: [3, 2] },
  ]);
  assert.deepEqual((await fill()).gained, { later: [3, 0] });
  assert.deepEqual((await fill()).gained, { later: [0, 2] });
  assert.deepEqual((await fill()).gained, { a: [1, 3] });
  assert.deepEqual(notes.slice(1), []);
});

Deno.test("ScrapeSource forgets series that are gone when there are more than the most", async () => {
  const { fill } = scraping(
    () => [{ a: [50, 0], b: [1, 0] }, { b: [1, 0], c: [1, 0] }, { a: [60, 0], b: [1, 0] }],
    2,
  );
  assert.deepEqual((await fill()).gained, { c: [1, 0] });
  assert.deepEqual((await fill()).gained, {}, "it cannot know what was counted before");
});

/** An answer of 200 with this text. */
function answered(body: string, type = "text/plain; version=0.0.4"): GetResult {
  return {
    kind: "answer",
    status: 200,
    headers: new Headers({ "content-type": type }),
    text: body,
  };
}

Deno.test("ScrapeSource skips an answer that is empty, cut off, or something else, and loses nothing by that", async () => {
  const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  const cases: readonly (readonly [GetResult, RegExp])[] = [
    [answered(""), /failed: its response is empty;/],
    [answered("\n \n"), /failed: its response is empty;/],
    [answered(exposition({ a: [9, 9] }), openMetrics), /cut off: it does not end with # EOF;/],
    [answered("!\n".repeat(5000)), /not an exposition: line 1: .*, and 999 more lines;/],
  ];
  for (const [bad, expected] of cases) {
    for (const isFirst of [true, false]) {
      const { fill, warnings, source } = scraping(() =>
        isFirst ? [bad, { a: [7, 7] }, { a: [8, 8] }] : [{ a: [7, 7] }, bad, { a: [8, 8] }]
      );
      assert.deepEqual((await fill()).gained, {});
      assert.equal(source.status.broken === undefined, isFirst);
      assert.deepEqual((await fill()).gained, { a: [1, 1] });
      assert.equal(source.status.broken, undefined);
      assert.equal(warnings.length, 1);
      assert.match(warnings.join(), expected);
    }
  }
});

Deno.test("ScrapeSource names a failure once for as long as it lasts, and its end", async () => {
  const busy: GetResult = { kind: "answer", status: 503, headers: new Headers(), text: "" };
  const { fill, warnings, notes } = scraping(() => [
    ...[{ a: [1, 0] } as const, busy, busy, answered(""), busy, busy],
    { a: [2, 0] },
  ]);
  for (let i = 0; i < 6; i++) await fill();
  assert.deepEqual(
    warnings.map((warning) => /failed: (.*?);/.exec(warning)?.[1]),
    ["status 503", "its response is empty", "status 503"],
  );
  assert.deepEqual(notes.slice(1), [
    "the scrape of http://target/metrics succeeds again, after 5 failures",
  ]);
});

Deno.test("ScrapeSource counts as invalid what the last reading has that was not used", async () => {
  const good = exposition({ a: [1, 0] });
  const { fill, source, warnings } = scraping(() => [
    answered(good),
    answered(good.replace("h_seconds_count", "h_seconds_count{a=b} 1\nh_seconds_count")),
    answered(exposition({ a: [3, 0] }).replace(/^h_seconds_count.*$/m, "")),
    answered(exposition({ a: [3, 0] }).replace(/(h_seconds_count.*) 3$/m, "$1 4")),
    { a: [4, 0] },
  ]);
  const invalid: number[] = [];
  const gained: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    gained.push((await fill()).gained);
    invalid.push(source.status.invalid);
  }
  assert.deepEqual(invalid, [1, 0, 1, 0]);
  assert.deepEqual(gained, [{}, { a: [2, 0] }, {}, { a: [1, 0] }]);
  assert.deepEqual(warnings, [
    'not used: line 5: its labels are not NAME="VALUE", separated by commas',
    'not used: h_seconds{series="a"}: its count is 4, but its last bucket holds 3',
  ]);
});

Deno.test("ScrapeSource leaves out a native histogram, and says so once", async () => {
  const native = (count: number) =>
    `# TYPE n histogram\nn_bucket{le="+Inf"} ${count}\nn_sum ${count}\nn_count ${count}\n`;
  const { fill, source, warnings, notes } = scraping(() => [
    answered(exposition({ a: [1, 0] }) + native(5)),
    answered(exposition({ a: [2, 0] }) + native(6)),
    answered(exposition({ a: [3, 0] }) + native(7)),
  ]);
  assert.deepEqual((await fill()).gained, { a: [1, 0] });
  assert.deepEqual((await fill()).gained, { a: [1, 0] });
  assert.equal(source.status.invalid, 0);
  assert.deepEqual(notes, ["first scrape: 1 histogram, nothing to send yet"]);
  assert.deepEqual(warnings, [
    "n is a native histogram, or has no bounds: it is left out. Let the target expose classic buckets as well",
  ]);
});

Deno.test("ScrapeSource keeps 10,000 series apart over scrapes, restarts of some, and a failure", async () => {
  const all = Array.from({ length: 10_000 }, (_, i) => i);
  const counted = (of: (i: number) => readonly [number, number]): Counted =>
    Object.fromEntries(all.map((i) => [`s${i}`, of(i)]));
  const { fill, notes } = scraping(() => [
    counted((i) => [i, 10]),
    counted((i) => [i + 3, 10 + i % 5]),
    { kind: "answer", status: 503, headers: new Headers(), text: "busy" },
    // Every tenth was reset.
    counted((i) => i % 10 === 0 ? [1, 1] : [i + 5, 10 + i % 5]),
  ], 10_000);
  const first = await fill();
  assert.deepEqual(first.gained, counted((i) => [3, i % 5]));
  assert.equal(first.measurements, 50_000);
  await fill();
  const third = await fill();
  assert.deepEqual(third.gained, counted((i) => i % 10 === 0 ? [1, 1] : [2, 0]));
  assert.match(notes.at(-1) ?? "", /^1000 histograms were reset/);
});

Deno.test("ScrapeSource records nothing while there is no room, and loses nothing by that", async () => {
  const { fill, source } = scraping(() => [{ a: [1, 0] }, { a: [9, 0] }]);
  source.hold(true);
  assert.deepEqual((await fill()).gained, {});
  source.hold(false);
  assert.deepEqual((await fill()).gained, { a: [8, 0] });
});

/** Scrapes a server of its own until the source says something; with all that it says. */
async function openAndFill(
  handler: (request: Request) => Response | Promise<Response>,
  timeoutMs: number,
): Promise<readonly string[]> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  return await scrapeOnce(`http://127.0.0.1:${server.addr.port}`, timeoutMs);
}

async function scrapeOnce(base: string, timeoutMs: number): Promise<readonly string[]> {
  const gathered = new Gathered();
  const told: string[] = [];
  const stop = new AbortController();
  const say = (message: string) => {
    told.push(message);
    stop.abort();
  };
  const source = openScrape(
    {
      kind: "scrape",
      url: new URL(`${base}/metrics`),
      shown: "target",
      headers: [],
      intervalMs: 60_000,
      timeoutMs,
    },
    gathered.recordFamilies,
    1000,
    { clock: new StillClock(), env: () => undefined },
    { warn: say, note: say },
  );
  await source.fill(gathered.records, undefined, stop.signal);
  return told;
}

const TEXT = { "content-type": "text/plain; version=0.0.4" };
const COUNTED = exposition({ a: [1, 0], b: [2, 1] });
const HALF = Math.ceil(COUNTED.length / 2);
const inGzip = { ...TEXT, "content-encoding": "gzip" };

for (
  const [what, response, said] of [
    ["an exposition", { headers: TEXT, body: COUNTED }, /^first scrape: 2 histograms/],
    ["one in gzip", { headers: inGzip, body: gzipSync(COUNTED) }, /^first scrape: 2 histograms/],
    [
      "one in gzip of two members",
      {
        headers: inGzip,
        body: concat([gzipSync(COUNTED.slice(0, HALF)), gzipSync(COUNTED.slice(HALF))]),
      },
      /^first scrape: 2 histograms/,
    ],
    ["no body in gzip", { headers: inGzip }, /failed: its response is empty/],
    [
      "gzip that ends too early",
      { headers: inGzip, body: gzipSync(COUNTED).subarray(0, 40) },
      /the coding/,
    ],
    ["what is not compressed", { headers: inGzip, body: COUNTED }, /failed: .*the coding/],
    ["a body that is cut off", { headers: TEXT, body: COUNTED, cut: true }, /failed: .*body/],
    [
      "401 and a body",
      { status: 401, headers: inGzip, body: "no", cut: true },
      /failed: status 401.*credentials/,
    ],
    [
      "302 to a URL with secrets",
      { status: 302, headers: { location: "https://u:secret@h/sign-in?to=secret" } },
      /failed: status 302.*it names https:\/\/\*\*\*@h\/sign-in\?to=\*\*\*$/,
    ],
    ["503 and no body", { status: 503, headers: inGzip }, /failed: status 503/],
    ["204", { status: 204, headers: inGzip }, /failed: status 204/],
  ] as const
) {
  Deno.test(`openScrape() reads the status first, then the body: ${what}`, async () => {
    for (const version of VERSIONS) {
      const answer = onWire(response, version);
      // Nothing but TLS agrees on HTTP/2.
      if (answer === undefined || version === "HTTP/2") continue;
      await using receiver = await startReceiver({ answers: [answer] });
      const [first] = await scrapeOnce(receiver.url, 10_000);
      assert.match(first ?? "", said, version);
      for (const { headers } of receiver.requests) {
        assert.equal(headers.get("accept-encoding"), "identity");
      }
    }
  });
}

/** A body of so many MiB that is an exposition without any metric. */
function large(mib: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = new TextEncoder().encode("# a comment\n".repeat(2 ** 20 / 16));
  const pieces = Math.ceil(mib * 2 ** 20 / piece.length);
  return ReadableStream.from((function* () {
    for (let i = 0; i < pieces; i++) yield piece.slice();
  })());
}

Deno.test("openScrape() reads no answer beyond 64 MiB, compressed or not", async () => {
  const answers = [
    () => new Response(large(65)),
    () =>
      new Response(large(65).pipeThrough(new CompressionStream("gzip")), {
        headers: { "content-encoding": "gzip" },
      }),
  ];
  for (const answer of answers) {
    const warnings = await openAndFill(answer, 30_000);
    assert.match(
      warnings.join(),
      /^the scrape of target failed: its response is larger than 64 MiB;/,
    );
  }
  assert.match((await openAndFill(() => new Response(large(63)), 30_000)).join(), /no classic/);
});

Deno.test("openScrape() gives up a target that does not answer, and one that never ends its answer", async () => {
  const silent = await openAndFill(({ signal }) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    signal.addEventListener("abort", () => resolve(new Response()));
    return promise;
  }, 150);
  assert.match(silent.join(), /^the scrape of target failed: no response within 0\.15 s;/);
  const endless = await openAndFill(() => {
    const begin = new TextEncoder().encode(exposition({ a: [1, 0] }));
    return new Response(new ReadableStream({ start: (body) => body.enqueue(begin) }));
  }, 150);
  assert.match(endless.join(), /failed: the response was not complete within 0\.15 s;/);
});
