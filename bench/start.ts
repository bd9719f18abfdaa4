/**
 * What one send costs as a whole process: the program, the predecessor and a bare `fetch`, side by side.
 *
 *     deno run -A bench/start.ts [ROUNDS]
 *
 * OTLP_HISTOGRAM_BIN names an executable to measure (else this source is compiled), PREDECESSOR the command of
 * the predecessor, DENO_COMPILER and DENORT_BIN what compiles. Needs python3, which tells a child's resource
 * usage. Nothing is asserted: the figures are for people.
 */
import {
  bareFetch,
  type Cost,
  cost,
  denortBytes,
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

const ROUNDS = Number(Deno.args[0] ?? 21);

await inTempFolder(async (folder) => {
  const ours = await program(folder);
  const bare = await bareFetch(folder);
  const sink = receiver();
  const { url } = sink;
  const send = { name: "otlp-histogram", command: [ours.path, "--endpoint", url], env: {} };
  const old = predecessor();
  const before = old && {
    name: "predecessor",
    command: old,
    env: { DT_ENDPOINT: url, DT_API_TOKEN: "token" },
  };

  await cost(send.command, send.env, folder);
  const bytes = sink.bodies.at(-1) ?? 0;
  const fetching = { name: "bare fetch", command: [bare.path, url, String(bytes)], env: {} };
  const contenders: Contender[] = [send, fetching, ...before ? [before] : []];
  const costs = await measured(contenders, folder);
  await sink.close();

  const of = (contender: Contender | undefined, what: keyof Cost) =>
    median(contender ? (costs.get(contender) ?? []).map((one) => one[what]) : []);
  console.log(`${await machine()}; medians of ${ROUNDS}, alternating; ${bytes} bytes a request\n`);
  console.log(table([
    ["", "wall", "CPU", "peak memory"],
    ...contenders.map((one) => [
      one.name,
      `${of(one, "wallMs").toFixed(1)} ms`,
      `${of(one, "cpuMs").toFixed(1)} ms`,
      `${of(one, "peakMb").toFixed(1)} MB`,
    ]),
  ]));
  if (before === undefined) console.log("\nThe predecessor was left out: PREDECESSOR is not set.");

  const ratio = (what: keyof Cost, to: Contender | undefined) =>
    (of(send, what) / of(to, what)).toFixed(2);
  const denort = await denortBytes();
  console.log(`\n${
    table([
      ["otlp-histogram", "measured", "aim"],
      ...before
        ? [[
          "time against the predecessor",
          `${ratio("wallMs", before)} (CPU ${ratio("cpuMs", before)})`,
          "at most 0.25",
        ]]
        : [],
      [
        "time against a bare fetch",
        `${ratio("wallMs", fetching)} (CPU ${ratio("cpuMs", fetching)})`,
        "at most 1.3",
      ],
      [
        "memory above a bare fetch",
        `${(of(send, "peakMb") - of(fetching, "peakMb")).toFixed(1)} MB`,
        "at most 6 MB",
      ],
      [
        "size above denort",
        denort === undefined
          ? `unknown: DENORT_BIN is not set; ${(ours.bytes / 1e6).toFixed(2)} MB in all`
          : `${((ours.bytes - denort) / 1e6).toFixed(2)} MB (of ${
            (ours.bytes / 1e6).toFixed(1)
          } MB)`,
        "at most 1 MB",
      ],
    ])
  }`);
});

/** Each contender once a round, the order turned round from one round to the next. */
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
