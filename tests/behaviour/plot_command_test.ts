import assert from "node:assert/strict";
import { sdkViews } from "../../src/aggregate/sdk_view.ts";
import { type Expectation, type Fixture, MARK, type Setup, TOKEN } from "../support/fixture.ts";
import { DEFAULT_BOUNDS, histogramOf } from "../support/histogram.ts";
import { error, like, warning } from "../support/lines.ts";
import { startProgram } from "../support/program.ts";
import { runFixture, testFixtures } from "../support/run_fixture.ts";
import { seeded } from "../support/seeded.ts";
import { DRIVES_A_TERMINAL, runInTerminal, uncolored } from "../support/terminal.ts";
import { atLeastOne } from "../support/cases.ts";

/** `plot` beside an endpoint that it must not contact. */
const plot = ({ args = [], env = {}, ...rest }: Setup & Expectation) => ({
  args: ["plot", ...args],
  env: { DT_ENDPOINT: "{secretUrl}", ...env },
  requests: 0,
  ...rest,
});

const values = (...given: readonly number[]) => given.flatMap((value) => ["--value", `${value}`]);

/** Lines of NDJSON. */
function ndjson(measured: readonly (readonly [number, Readonly<Record<string, unknown>>])[]) {
  return measured.map(([value, attributes]) => `${JSON.stringify({ value, attributes })}\n`).join(
    "",
  );
}

const BAR = "█";
const SERIES = [
  "  http.server.duration (ms)",
  "    count 3, min 12, max 40, sum 67",
  "         measured  estimated  off by",
  "    p50        15      21.75    +45%",
  "    p90        40       35.5    -11%",
  "    p99        40      39.55   -1.1%",
  "    from buckets only, as a backend shows: p50 21.25, p90 42.5, p99 49.25",
  "     (5, 10] 0",
  `    (10, 25] ${BAR.repeat(65)} 2`,
  `    (25, 50] ${BAR.repeat(32)}▌ 1`,
  "    (50, 75] 0",
  "  With these buckets, percentile estimates are off by up to 45% (p50).",
];
const SAMPLES =
  "Showing the five built-in samples. To plot your own, use --value N, --input FILE, or --input - for standard input.";
const ANY_SAMPLE = like({ type: "histogram", metric: "http.server.duration", unit: "ms" });

const rows: readonly Fixture[] = [
  {
    name: "plot draws measurements with their percentiles, and sends nothing",
    ...plot({
      args: values(12, 15, 40),
      stdout: [...SERIES, "Total: 3 measurements in 1 series"],
    }),
  },
  {
    name: "plot needs no endpoint and no token",
    args: ["plot", ...values(12, 15, 40)],
    bare: true,
    requests: 0,
    stdout: [...SERIES, "Total: 3 measurements in 1 series"],
  },
  {
    name: "plot says that it draws samples when no measurements are named",
    ...plot({
      stdout: "any",
      check({ stdout }) {
        assert.ok(stdout.startsWith(`${SAMPLES}\n  http.server.duration (ms) http.method=GET `));
        assert.match(stdout, /\nTotal: 5 measurements in 3 series\n$/);
      },
    }),
  },
  {
    name: "plot says so under --output json, too, on standard error",
    ...plot({
      args: ["--output", "json"],
      stdout: [ANY_SAMPLE, ANY_SAMPLE, ANY_SAMPLE],
      stderr: [warning(SAMPLES)],
    }),
  },
  {
    name: "plot without --input tells whoever pipes something into it",
    ...plot({
      stdin: "1\n",
      stdout: "any",
      stderr: [
        "WARNING: standard input is a pipe or a file, but sample measurements are drawn: to draw the measurements in it, add --input -",
      ],
    }),
  },
  {
    name: "plot names invalid lines, counts them and ends with 1",
    ...plot({
      args: ["--input", "durations.txt"],
      files: { "durations.txt": "12\n15\nx\n40\n-3\n\n" },
      status: 1,
      stdout: [...SERIES, "Total: 3 measurements in 1 series, 2 lines invalid"],
      stderr: [
        'WARNING: line 3 not used: the value is not a number: "x"',
        'WARNING: line 5 not used: the value is negative: "-3"',
      ],
    }),
  },
  {
    name: "plot tells of invalid lines under --output json on standard error",
    ...plot({
      args: ["--input", "-", "--output", "json"],
      stdin: "12\nx\n",
      status: 1,
      stdout: [like({ type: "histogram", count: 1 })],
      stderr: [
        warning('line 2 not used: the value is not a number: "x"'),
        warning("1 line of the input is invalid and not counted"),
      ],
    }),
  },
  ...[["skip\n", "1 line of the input is excluded: it does not match"], [
    "skip\nskip\n",
    "2 lines of the input are excluded: they do not match",
  ]].map(([stdin = "", message = ""]) => ({
    name: `plot tells under --output json that ${message}`,
    ...plot({
      args: ["--input", "-", "--pattern", "took (?<value>\\d+)", "--output", "json"],
      stdin: `took 5 ms\n${stdin}`,
      stdout: [like({ type: "histogram", count: 1 })],
      stderr: [warning(message)],
    }),
  })),
  {
    name: "plot of an empty input says that there is nothing to draw",
    ...plot({
      args: ["--input", "-"],
      stdin: "",
      stdout: ["Total: 0 measurements in 0 series"],
      stderr: ["WARNING: there are no measurements to draw"],
    }),
  },
  {
    name: "plot folds the series beyond --max-series, and says so",
    ...plot({
      args: ["--series", "5", "--count", "50", "--max-series", "2", "--output", "json"],
      stdout: [like({ type: "histogram" }), like({ type: "histogram" })],
      stderr: [
        warning(/^--series 5 is more than --max-series 2: .*/),
        warning(/^40 measurements of 4 series were merged into one data point .*--max-series$/),
      ],
    }),
  },
  {
    name: "plot warns when a variable asks for exponential buckets",
    ...plot({
      args: values(12, 15, 40),
      env: {
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION:
          "base2_exponential_bucket_histogram",
      },
      stdout: [...SERIES, "Total: 3 measurements in 1 series"],
      stderr: [/^WARNING: OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION .*--dry-run/],
    }),
  },
  {
    name: "plot draws what has come when Ctrl+C ends it",
    ...plot({
      args: ["--input", "-"],
      stdin: { open: true },
      status: 1,
      async meanwhile({ program }) {
        await program.write("12\n15\n40\nread\n");
        await program.waitForStderr(/line 4 not used/);
        program.signal("SIGINT");
      },
      stdout: [...SERIES, "Total: 3 measurements in 1 series, 1 line invalid"],
      stderr: [
        'WARNING: line 4 not used: the value is not a number: "read"',
        "ERROR: stopped before the end: 4 lines of the input were read; the measurements so far are drawn",
      ],
    }),
  },
  ...["text", "json"].map((format): Fixture => ({
    name: `plot --output ${format} shows no secret that an input or an attribute holds`,
    ...plot({
      args: [
        ...["--input", "-", "--output", format, "--unit", TOKEN, "--suggest-buckets"],
        ...["--attr", `token=${TOKEN}`, "--attr", `scope=${MARK}HEADER`],
      ],
      stdin: `${ndjson([[5, { a: TOKEN, [TOKEN]: 1 }]])}{"value":"${TOKEN}"}\n`,
      status: 1,
      stdout: "any",
      stderr: "any",
      check: ({ stdout }) => assert.match(stdout, /\*\*\*/),
    }),
  })),
  ...[["plot", "--help"], ["plot", "-h"], ["help", "plot"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes the flags of plot, and none of those that send`,
    args,
    stdout: "any",
    requests: 0,
    check({ stdout }) {
      for (const flag of ["metric", "unit", "buckets", "attr", "max-series", "input", "series"]) {
        assert.match(stdout, new RegExp(`^ +--${flag}( |$)`, "m"));
      }
      assert.match(stdout, /^ +--suggest-buckets \[N\]$/m);
      assert.doesNotMatch(stdout, /^ +--(endpoint|loop|spool|exponential|dry-run)/m);
      for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
    },
  })),
];
testFixtures(rows);

const refusals: readonly (readonly [args: readonly string[], message: string | RegExp])[] = [
  [["--suggest-buckets", "0"], /^Invalid --suggest-buckets "0" .*: expected a whole .* 1 to 100$/],
  [["--suggest-buckets=101"], /^Invalid --suggest-buckets "101" .*: expected a whole .* 1 to 100$/],
  [["--suggest-buckets", "many"], /^Invalid --suggest-buckets "many" \(command line\)/],
  [
    ["--endpoint", "{secretUrl}"],
    /^No flag --endpoint for plot, only for send, exec, check and verify /,
  ],
  [["--exponential"], /^No flag --exponential for plot, only for send /],
  [["--count", "0"], 'Invalid --count "0" (command line): expected a whole number, 1 or more'],
  [["--scale", "2"], /^--scale applies to an input: add --input FILE/],
  [["--value", "1", "--input", "-"], /^--value and --input cannot be used together/],
  [["--input", "nowhere"], /^Cannot read the file of --input, "nowhere": it does not exist$/],
];
testFixtures(refusals.map(([args, message]) => ({
  name: `plot ${args.join(" ")} is refused`,
  ...plot({ args: [...args, "--output", "json"], status: 2, stderr: [error(message)] }),
})));

interface Drawn {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly quantiles: Readonly<
    Record<string, { readonly measured: number; readonly estimated: number }>
  >;
}

/** Runs `plot --output json`: its histograms, and the suggestion. */
async function plotted(setup: Setup & Expectation) {
  const { stdout } = await runFixture(
    plot({ stdout: "any", ...setup, args: ["--output", "json", ...setup.args ?? []] }),
  );
  const lines: readonly { readonly type: string }[] = stdout.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  const isDrawn = (line: { readonly type: string }): line is Drawn & { readonly type: string } =>
    line.type === "histogram";
  return {
    drawn: lines.filter(isDrawn),
    others: lines.filter((line) => !isDrawn(line)),
  };
}

const KEYS = [
  ...["type", "metric", "unit", "attributes", "count", "sum", "min", "max"],
  ...["bounds", "counts", "quantiles"],
];

Deno.test("plot --output json prints a line a series as the contract has it, and a suggestion", async () => {
  const { drawn: [first, second], others: [suggestion, ...more] } = await plotted({
    args: [
      ...["--metric", "job.duration", "--unit", "s", "--buckets", "10,20,40"],
      ...["--attr", "region=eu", "--input", "-", "--suggest-buckets", "2"],
    ],
    stdin: ndjson([[12, { a: 1 }], [15, { a: 1 }], [40, { a: 1 }], [3, { b: "x" }]]),
  });
  assert.deepEqual(more, []);
  assert.deepEqual(Object.keys(first ?? {}), KEYS);
  const p99 = first?.quantiles["p99"]?.estimated ?? NaN;
  assert.ok(Math.abs(p99 - 39.4) < 1e-9, `${p99}`);
  assert.deepEqual(first, {
    type: "histogram",
    metric: "job.duration",
    unit: "s",
    attributes: { a: 1, region: "eu" },
    count: 3,
    sum: 67,
    min: 12,
    max: 40,
    bounds: [10, 20, 40],
    counts: [0, 2, 1, 0],
    quantiles: {
      p50: { measured: 15, estimated: 18 },
      p90: { measured: 40, estimated: 34 },
      p99: { measured: 40, estimated: p99 },
    },
  });
  assert.deepEqual(second?.attributes, { b: "x", region: "eu" });
  assert.deepEqual(Object.keys(suggestion ?? {}), [
    "type",
    "buckets",
    "worstError",
    "worstErrorNow",
  ]);
  assert.equal(suggestion?.type, "suggestion");
});

for (
  const [args, length] of [
    [["--suggest-buckets"], 11],
    [["--suggest-buckets", "20"], 20],
    [["--suggest-buckets=20"], 20],
    [["--suggest-buckets", "100"], 100],
  ] as const
) {
  Deno.test(`plot ${args.join(" ")} suggests ${length} bounds`, async () => {
    const { others } = await plotted({
      args: ["--count", "500", "--seed", "bounds", ...args],
    });
    const [suggestion] = others;
    const buckets: unknown = Reflect.get(suggestion ?? {}, "buckets");
    assert.ok(Array.isArray(buckets) && buckets.length === length, JSON.stringify(suggestion));
    assert.ok(buckets.every((bound, i) => i === 0 || bound > buckets[i - 1]));
  });
}

/** Log-normal (median 55, p99 560), five series in turn. */
const MANY: readonly (readonly [number, { readonly route: string }])[] = (() => {
  const random = seeded(12);
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: 100_000 }, (_, i) => {
    const route = `/${i % 5}`;
    return [Number(Math.exp(4 + normal()).toFixed(3)), { route }] as const;
  });
})();
const MANY_INPUT = { files: { "many.ndjson": ndjson(MANY) } };

/** The worst relative error of the percentiles that are estimated from the buckets. */
function worstOf(drawn: readonly Drawn[]): number {
  return Math.max(
    ...drawn.flatMap(({ quantiles }) =>
      Object.values(quantiles).map(({ measured, estimated }) =>
        Math.abs(estimated - measured) / measured
      )
    ),
  );
}

Deno.test("plot of 100,000 lines: buckets are exact, measured percentiles within 1 % of the sorted values", async () => {
  const { drawn } = await plotted({ args: ["--input", "many.ndjson"], ...MANY_INPUT });
  assert.equal(drawn.length, 5);
  for (const { attributes, quantiles, bounds, sum, ...figures } of atLeastOne(drawn)) {
    const own = MANY.filter(([, { route }]) => route === attributes["route"]).map(([value]) =>
      value
    );
    const { sum: expectedSum = NaN, ...expected } = histogramOf(own);
    assert.deepEqual(bounds, DEFAULT_BOUNDS);
    const { count, min, max, counts } = figures;
    assert.deepEqual({ count, min, max, counts }, expected);
    assert.ok(Math.abs(sum - expectedSum) < 1e-6 * expectedSum);
    const sorted = own.toSorted((a, b) => a - b);
    for (const percent of [50, 90, 99]) {
      const truth = sorted[Math.ceil(percent / 100 * sorted.length) - 1] ?? NaN;
      const { measured = NaN } = quantiles[`p${percent}`] ?? {};
      assert.ok(Math.abs(measured / truth - 1) <= 0.01, `p${percent}: ${measured}, not ${truth}`);
    }
  }
});

const boundsIn = (flag: string) => flag.split(",").map(Number);

Deno.test("plot --suggest-buckets prints one list of views for all metrics of a scenario", async () => {
  const metric = (name: string, unit: string, distribution: string) => ({
    name,
    unit,
    mix: [{ distribution }],
  });
  const scenario = {
    metrics: [metric("a.time", "ms", "uniform(1,90)"), metric("b.size", "By", "uniform(5,7000)")],
  };
  const { stdout } = await runFixture(plot({
    args: ["--scenario", "mix.json", "--count", "200", "--seed", "1", "--suggest-buckets", "3"],
    files: { "mix.json": JSON.stringify(scenario) },
    stdout: "any",
    stderr: [/^WARNING: rule overflow-bucket: b\.size: /],
  }));
  const [a = [], b = []] = [...stdout.matchAll(/^ {2}"buckets": \[(.*)\]$/gm)]
    .map(([, list = ""]) => boundsIn(list));
  const views = sdkViews([{ name: "a.time", bounds: a }, { name: "b.size", bounds: b }]);
  const expected = views.flatMap((
    { title, lines },
  ) => [`${title}:`, ...lines.map((l) => `  ${l}`)]);
  assert.equal(a.length, 3);
  assert.ok(stdout.endsWith(`${expected.join("\n")}\n`), stdout);
});

Deno.test("plot --suggest-buckets prints the flag to paste, and it does what the suggestion says", async () => {
  const { stdout } = await runFixture(plot({
    args: ["--input", "many.ndjson", "--suggest-buckets"],
    ...MANY_INPUT,
    stdout: "any",
  }));
  const [, flag = "", pasted = ""] = /^ {2}(--buckets) (\S+)$/m.exec(stdout) ?? [];
  for (
    const { title, lines } of sdkViews([{ name: "http.server.duration", bounds: boundsIn(pasted) }])
  ) {
    assert.ok(
      stdout.includes([`${title}:`, ...lines.map((line) => `  ${line}`), ""].join("\n")),
      title,
    );
  }
  const input = { ...MANY_INPUT, args: ["--input", "many.ndjson"] };
  const [before, after] = await Promise.all([
    plotted({ ...input, args: [...input.args, "--suggest-buckets"] }),
    plotted({ ...input, args: [...input.args, flag, pasted] }),
  ]);
  const [suggestion] = before.others;
  const said = (name: string) => Number(Reflect.get(suggestion ?? {}, name));
  assert.deepEqual(after.drawn[0]?.bounds, Reflect.get(suggestion ?? {}, "buckets"));
  assert.ok(Math.abs(worstOf(before.drawn) - said("worstErrorNow")) < 1e-9);
  // How many values are below a bound is known as finely as the values are: to 1 %.
  assert.ok(Math.abs(worstOf(after.drawn) - said("worstError")) < 0.005);
  assert.ok(said("worstError") < said("worstErrorNow") / 2);
});

Deno.test("plot lets names and values from outside do nothing to a terminal", async () => {
  const evil = "\x1b[2J\u202e\u2028\x9b\x07";
  // JSON.stringify() leaves these as they are.
  const raw = "\x9b31mx\u202e\u2028";
  for (const format of ["text", "json"]) {
    await runFixture(plot({
      args: ["--unit", evil, "--input", "-", "--output", format, "--suggest-buckets", "1"],
      stdin: `${ndjson([[5, { [evil]: evil }]])}{"value":"${raw}"}\n`,
      status: 1,
      stdout: "any",
      stderr: "any",
      check({ stdout, stderr }) {
        assert.match(stderr, /line 2 not used: "?\\?"?value\\?"? is not a number: .*u009b31mx/);
        assert.doesNotMatch(stdout + stderr, DRIVES_A_TERMINAL);
      },
    }));
  }
  await runFixture(plot({
    args: ["--input", evil],
    status: 2,
    stderr: [/^ERROR: Cannot read the file of --input/],
    check: ({ stderr }) => assert.doesNotMatch(stderr, DRIVES_A_TERMINAL),
  }));
});

Deno.test("plot fills a terminal's width, in colour unless NO_COLOR is set", async () => {
  const args = ["plot", ...values(12, 15, 40)];
  const [colored, plain] = await Promise.all([
    runInTerminal({ columns: 60, args }),
    runInTerminal({ columns: 60, args, dotenv: "NO_COLOR=1\n" }),
  ]);
  assert.equal(plain.status, 0);
  assert.equal(Math.max(...plain.lines.map((line) => line.length)), 60);
  assert.notDeepEqual(colored.lines, plain.lines);
  assert.deepEqual(uncolored(colored.lines), plain.lines);
});

Deno.test("plot --follow draws what has come until Ctrl+C, and sends nothing", async () => {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-plot-" });
  try {
    await Deno.writeTextFile(`${directory}/log`, "1\n2\n");
    await using program = await startProgram({
      args: ["plot", "--input", "log", "--follow", "--output", "json"],
      cwd: directory,
    });
    await Deno.writeTextFile(`${directory}/log`, "x\n3\n", { append: true });
    await program.waitForStderr("line 3");
    // When this one is reported, the lines before it are drawn.
    await Deno.writeTextFile(`${directory}/log`, "y\n", { append: true });
    await program.waitForStderr("line 5");
    program.signal("SIGINT");
    const { status, stdout } = await program.finished;
    assert.equal(status, 1);
    assert.equal(JSON.parse(stdout).count, 3);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
