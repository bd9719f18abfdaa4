/**
 * Memory of a loop with a short interval, beside a program that does only the bare `fetch` in the same rhythm.
 *
 *     deno run -A bench/memory.ts [SECONDS]
 *
 * Both run at the same time, against the same receiver, for 120 s unless told otherwise. The resident set comes from
 * /proc, so this needs Linux. OTLP_HISTOGRAM_BIN and DENO_COMPILER as for start.ts.
 */
import {
  background,
  bareFetch,
  cost,
  inTempFolder,
  machine,
  program,
  receiver,
  table,
} from "./support.ts";

const SECONDS = Number(Deno.args[0] ?? 120);
const SAMPLE_EVERY = 5;
const INTERVAL = "0.2";
/** Seconds to ignore: code that is loaded and compiled in the first half minute is not growth. */
const SETTLED = Math.min(30, SECONDS / 4);
const SHOWN = [10, 30, 60, 90, 120].filter((second) => second < SECONDS).concat(SECONDS);

/** Resident set in MB, by second. */
type Samples = Map<number, number>;

await inTempFolder(async (folder) => {
  const ours = await program(folder);
  const bare = await bareFetch(folder);
  const sink = receiver();
  await cost([...ours, "--endpoint", sink.url], {}, folder);
  const bytes = sink.bodies.at(-1) ?? 0;
  const loop = ["--loop", "--interval", INTERVAL, "--quiet"];
  const processes = [
    background([...ours, "--endpoint", sink.url, ...loop], folder),
    background([...bare, sink.url, String(bytes), INTERVAL], folder),
  ];
  const samples: Samples[] = processes.map(() => new Map());
  try {
    const start = performance.now();
    for (let second = SAMPLE_EVERY; second <= SECONDS; second += SAMPLE_EVERY) {
      await until(start + second * 1000);
      for (const [i, { pid }] of processes.entries()) samples[i]?.set(second, await resident(pid));
    }
  } finally {
    for (const process of processes) process.kill("SIGTERM");
    await Promise.all(processes.map(({ status }) => status));
    await sink.close();
  }
  const [send = new Map(), fetching = new Map()]: Samples[] = samples;

  console.log(`${await machine()}; ${sink.bodies.length - 1} requests in ${SECONDS} s\n`);
  const shown = SHOWN.map((second) => second - second % SAMPLE_EVERY);
  const row = (name: string, value: (second: number) => number) => [
    name,
    ...shown.map((second) => `${value(second).toFixed(1)} MB`),
  ];
  const at = (of: Samples) => (second: number) => of.get(second) ?? NaN;
  console.log(table([
    ["resident after", ...shown.map((second) => `${second} s`)],
    row("otlp-histogram", at(send)),
    row("bare fetch", at(fetching)),
    row("difference (aim: at most 4 MB)", (second) => at(send)(second) - at(fetching)(second)),
  ]));
  console.log(`\n${
    table([
      [`after ${SETTLED} s`, "lowest", "highest", "growth, MB a minute"],
      spread("otlp-histogram", send),
      spread("bare fetch", fetching),
    ])
  }`);
});

async function resident(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/**
 * Formats the spread of the samples after the start. The growth is the slope of the straight line through them (least
 * squares).
 */
function spread(name: string, samples: Samples): string[] {
  const settled = [...samples].filter(([second]) => second >= SETTLED);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const time = mean(settled.map(([second]) => second));
  const size = mean(settled.map(([, mb]) => mb));
  const slope = mean(settled.map(([second, mb]) => (second - time) * (mb - size))) /
    mean(settled.map(([second]) => (second - time) ** 2));
  const sizes = settled.map(([, mb]) => mb);
  return [
    name,
    `${Math.min(...sizes).toFixed(1)} MB`,
    `${Math.max(...sizes).toFixed(1)} MB`,
    (slope * 60).toFixed(1),
  ];
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - performance.now())));
}
