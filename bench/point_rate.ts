/**
 * Data points per second, asked and reached: `--point-rate` beside telemetrygen with `--rate`, into a Collector that
 * counts and throws away; and what `--workers` bring, as the capacity that `--point-rate FROM..TO` finds with them.
 *
 *     deno run -A bench/point_rate.ts [SECONDS]
 *
 * The program is OTLP_HISTOGRAM_BIN, or this source; OTELCOL and TELEMETRYGEN name the others. The Collector's
 * own counts are what counts. Neither compresses. telemetrygen's data points are all of one series.
 */
import {
  background,
  cost,
  countingCollector,
  inTempFolder,
  machine,
  named,
  program,
  ready,
  table,
} from "./support.ts";

const ASKED = [1_000, 10_000, 50_000, 100_000];
const WORKERS = [1, 2, 8];
const POINTS_PER_REQUEST = 100;

/** Measures what reaches a Collector at each rate, and what CPU that takes. */
async function asked(program: readonly string[], seconds: number, folder: string): Promise<string> {
  const { command, port, points } = await countingCollector(named("OTELCOL"), folder);
  const process = background(command, folder);
  const rows = [["asked, points/s", "otlp-histogram", "CPU", "telemetrygen", "CPU"]];
  try {
    await ready(points);
    for (const rate of ASKED) {
      const row = [shown(rate)];
      for (const sender of [own(program, port, rate, seconds), telemetrygen(port, rate, seconds)]) {
        const before = await points();
        const { cpuMs } = await cost(sender, {}, folder);
        const reached = await points() - before;
        row.push(shown(reached / seconds), `${(cpuMs * 1000 / reached).toFixed(1)} µs/point`);
      }
      rows.push(row);
    }
  } finally {
    process.kill("SIGTERM");
    await process.status;
  }
  return table(rows);
}

function own(
  program: readonly string[],
  port: number,
  rate: number,
  seconds: number,
): readonly string[] {
  return [
    ...program,
    ...["--endpoint", `http://127.0.0.1:${port}`, "--compression", "none", "--quiet"],
    ...["--series", "10000", "--point-rate", `${rate}`, "--loop", "--duration", `${seconds}`],
  ];
}

function telemetrygen(port: number, rate: number, seconds: number): readonly string[] {
  return [
    named("TELEMETRYGEN"),
    ...["metrics", "--otlp-http", "--otlp-insecure", "--otlp-endpoint", `127.0.0.1:${port}`],
    ...["--metric-type", "Histogram", "--aggregation-temporality", "delta"],
    ...["--rate", `${rate}`, "--duration", `${seconds}s`, "--workers", "1"],
    ...["--batch-size", String(Math.min(1000, Math.ceil(rate / 50)))],
  ];
}

/** Receiver of a kind: how it waits before it answers. */
interface Kind {
  readonly name: string;
  readonly wait: () => () => Promise<void>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const KINDS: readonly Kind[] = [
  { name: "answers each request after 50 ms", wait: () => () => pause(50) },
  {
    name: "works 20 ms on one request at a time",
    wait: () => {
      let last = Promise.resolve();
      return () => last = last.then(() => pause(20));
    },
  },
];

/** Finds the capacity of each kind of receiver with each number of workers. */
async function workers(program: readonly string[]): Promise<string> {
  const rows = [["the receiver", ...WORKERS.map((count) => `${count} workers`)]];
  for (const { name, wait } of KINDS) {
    const row = [name];
    for (const count of WORKERS) {
      const turn = wait();
      const server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        async (request) => {
          await request.arrayBuffer();
          await turn();
          return new Response();
        },
      );
      row.push(`${shown(await capacity(program, server.addr.port, count))} points/s`);
      await server.shutdown();
    }
    rows.push(row);
  }
  return table(rows);
}

async function capacity(
  program: readonly string[],
  port: number,
  workers: number,
): Promise<number> {
  const [name = "", ...args] = program;
  const { stdout } = await new Deno.Command(name, {
    args: [
      ...args,
      ...["--endpoint", `http://127.0.0.1:${port}`, "--output", "json", "--quiet", "--slo", "500"],
      ...["--series", "8000", "--point-rate", "100..20000", "--loop", "--duration", "10"],
      ...["--points-per-request", `${POINTS_PER_REQUEST}`, "--workers", `${workers}`],
    ],
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).capacity.pointsPerSecond;
}

function shown(figure: number): string {
  return Math.round(figure).toLocaleString("en-US");
}

await inTempFolder(async (folder) => {
  const ours = await program(folder);
  const seconds = Number(Deno.args[0] ?? 10);
  console.log(`${await machine()}; ${seconds} s each\n`);
  console.log(`${await asked(ours, seconds, folder)}\n`);
  console.log(await workers(ours));
});
