/**
 * Effect of `--workers`: 1, 2 and 4 of them beside telemetrygen with as many, and eight processes that share the work,
 * against a Collector that counts and throws away and against VictoriaMetrics, which stores. 10,000 series, no
 * compression, as fast as it goes.
 *
 *     deno run -A bench/workers.ts [ROUNDS [SECONDS]]
 *
 * The program is OTLP_HISTOGRAM_BIN, or this source; OTELCOL, VICTORIAMETRICS and TELEMETRYGEN name the
 * others. The receivers' own counts are what counts: data points, and in VictoriaMetrics samples, several of which
 * make up a data point. Series are sent once before anything is measured: VictoriaMetrics takes much longer to make one
 * than to store a sample of it, and telemetrygen has a single one.
 */
import { freePort } from "../tests/support/process.ts";
import {
  background,
  cost,
  countingCollector,
  exposed,
  inTempFolder,
  loop,
  machine,
  median,
  named,
  program,
  ready,
  table,
  telemetrygen,
} from "./support.ts";

const WORKERS = [1, 2, 4];
const SHARDS = "8 shards, a worker each";

interface Target {
  readonly name: string;
  readonly command: readonly string[];
  readonly url: URL;
  count(): Promise<number>;
}

await inTempFolder((folder) => bench(folder, Number(Deno.args[0] ?? 3), Number(Deno.args[1] ?? 5)));

async function bench(folder: string, rounds: number, seconds: number): Promise<void> {
  const ours = await program(folder);
  const generator = named("TELEMETRYGEN");
  console.log(`${await machine()}; ${rounds} times ${seconds} s each\n`);
  for (const target of await targets(folder)) {
    const process = background(target.command, folder);
    try {
      await ready(target.count);
      await cost(own(ours, target, 1, seconds), {}, folder);
      const samples = new Map<string, number[]>();
      const note = (key: string, rate: number) =>
        samples.set(key, [...samples.get(key) ?? [], rate]);
      for (let round = 0; round < rounds; round++) {
        for (const workers of WORKERS) {
          for (
            const [name, command] of [
              ["otlp-histogram", own(ours, target, workers, seconds)],
              ["telemetrygen", telemetrygen(generator, target.url, seconds, workers)],
            ] as const
          ) {
            note(`${name} ${workers}`, await rateOf(target, command, folder));
          }
        }
        note(SHARDS, await rateOf(target, shards(own(ours, target, 1, seconds)), folder));
      }
      console.log(`${report(target.name, samples)}\n`);
    } finally {
      process.kill("SIGTERM");
      await process.status;
    }
  }
}

/** Measures how much the target counts per second while the command runs. */
async function rateOf(
  target: Target,
  command: readonly string[],
  folder: string,
): Promise<number> {
  const before = await target.count();
  const { wallMs } = await cost(command, {}, folder);
  return (await target.count() - before) / wallMs * 1000;
}

/** Runs a command as eight processes at once. */
function shards(command: readonly string[]): readonly string[] {
  const each = 'for i in 0 1 2 3 4 5 6 7; do "$0" "$@" --shards 8 --shard $i & done; wait';
  return ["sh", "-c", each, ...command];
}

function own(program: readonly string[], { url }: Target, workers: number, seconds: number) {
  return [...loop(program, url.href, seconds), "--workers", String(workers)];
}

function report(name: string, samples: ReadonlyMap<string, readonly number[]>): string {
  const rate = (key: string) => median([...samples.get(key) ?? []]);
  return table([
    [`${name} a second`, "otlp-histogram", "telemetrygen", "ratio"],
    ...WORKERS.map((workers) => {
      const [mine, other] = [rate(`otlp-histogram ${workers}`), rate(`telemetrygen ${workers}`)];
      const shown = [mine, other].map((rate) => Math.round(rate).toLocaleString("en-US"));
      return [`${workers} workers`, ...shown, (mine / other).toFixed(2)];
    }),
    [SHARDS, Math.round(rate(SHARDS)).toLocaleString("en-US"), "", ""],
  ]);
}

async function targets(folder: string): Promise<readonly Target[]> {
  const { command, port, points } = await countingCollector(named("OTELCOL"), folder);
  const store = freePort();
  return [{
    name: "Collector: data points",
    command,
    url: new URL(`http://127.0.0.1:${port}`),
    count: points,
  }, {
    name: "VictoriaMetrics: samples",
    command: [
      named("VICTORIAMETRICS"),
      `-storageDataPath=${folder}/stored`,
      `-httpListenAddr=127.0.0.1:${store}`,
      "-loggerLevel=ERROR",
    ],
    url: new URL(`http://127.0.0.1:${store}/opentelemetry`),
    count: () => exposed(store, /^vm_rows_inserted_total\{type="opentelemetry"\} (\S+)$/m),
  }];
}
