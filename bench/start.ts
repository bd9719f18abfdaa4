/**
 * Cost of one send as a whole process: the program, the predecessor and a bare `fetch`, side by side.
 *
 *     deno run -A bench/start.ts [ROUNDS]
 *
 * By default the program and the bare `fetch` are bundles that the Deno of this process runs with the flags of the
 * executable and without a code cache. OTLP_HISTOGRAM_BIN names an executable to measure in their place, beside a bare
 * `fetch` that DENO_COMPILER compiles. PREDECESSOR is the command of the predecessor, DENORT_BIN the runtime whose size is
 * subtracted. Needs python3, which reports a child's resource usage. Nothing is asserted: the figures are for people.
 */
import {
  bareFetch,
  type Cost,
  cost,
  denortBytes,
  EXECUTABLE,
  inTempFolder,
  machine,
  median,
  predecessor,
  program,
  receiver,
  table,
} from "./support.ts";

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ROUNDS = Number(Deno.args[0] ?? 41);

await inTempFolder(async (folder) => {
  const [ours, bare] = [await program(folder), await bareFetch(folder)];
  const sink = receiver();
  const { url } = sink;
  // Other versions of Deno must not empty the caches of this one meanwhile.
  const env = { DENO_DIR: `${folder}/deno` };
  const send = { name: "one value", command: [...ours, "--endpoint", url, "--value", "5"], env };
  const samples = { name: "the samples", command: [...ours, "--endpoint", url], env };
  const old = predecessor();
  const before = old && {
    name: "predecessor",
    command: old,
    env: { DT_ENDPOINT: url, DT_API_TOKEN: "token" },
  };

  await cost(send.command, send.env, folder);
  const bytes = sink.bodies.at(-1) ?? 0;
  const fetching = { name: "bare fetch", command: [...bare, url, String(bytes)], env };
  const contenders: Contender[] = [send, samples, fetching, ...before ? [before] : []];
  const costs = await measured(contenders, folder);
  await sink.close();

  const of = (contender: Contender, what: keyof Cost) =>
    median((costs.get(contender) ?? []).map((one) => one[what]));
  console.log(await machine());
  console.log(`Medians of ${ROUNDS}, alternating; ${bytes} bytes a request\n`);
  console.log(table([
    ["", "wall", "CPU", "peak memory", "time against a bare fetch"],
    ...contenders.map((one) => [
      one.name,
      `${of(one, "wallMs").toFixed(1)} ms`,
      `${of(one, "cpuMs").toFixed(1)} ms`,
      `${of(one, "peakMb").toFixed(1)} MB`,
      `${(of(one, "wallMs") / of(fetching, "wallMs")).toFixed(2)} (CPU ${
        (of(one, "cpuMs") / of(fetching, "cpuMs")).toFixed(2)
      })`,
    ]),
  ]));
  if (before === undefined) console.log("\nThe predecessor was left out: PREDECESSOR is not set.");
  if (EXECUTABLE !== undefined) {
    const { size: bytes } = await Deno.stat(EXECUTABLE);
    const denort = await denortBytes();
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    const own = denort === undefined
      ? "DENORT_BIN is not set"
      : `${((bytes - denort) / 1e6).toFixed(2)} MB above denort`;
    console.log(`\nSize: ${size} (${own})`);
  }
});

/** Measures each contender once per round, in alternating order. */
async function measured(
  contenders: readonly Contender[],
  folder: string,
): Promise<ReadonlyMap<Contender, readonly Cost[]>> {
  const costs = new Map<Contender, Cost[]>(contenders.map((one) => [one, []]));
  for (const one of contenders) await cost(one.command, one.env, folder);
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
      costs.get(one)?.push(await cost(one.command, one.env, folder));
    }
  }
  return costs;
}
