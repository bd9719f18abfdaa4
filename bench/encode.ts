/**
 * Cost of a data point before it is sent: recording and encoding 10,000 series with one value each, here and in the
 * OpenTelemetry SDK with its serializer, in turn in one process.
 *
 *     deno run -A bench/encode.ts [ROUNDS]
 */
import { systemClock } from "../src/platform/clock.ts";
import { recordingOf } from "../tests/support/recording.ts";
import { sdkRecorder } from "../tests/support/sdk.ts";
import { BOUNDS, durations, median, table } from "./support.ts";

const ROUNDS = Number(Deno.args[0] ?? 60);
const WARM_UP = 20;
const SERIES = 10_000;
const LIMITS = { points: Infinity, bytes: 64 * 2 ** 20 };

const sets = Array.from({ length: SERIES }, (_, series) => ({ series }));
const batch = () => sets.map((attributes) => ({ value: Math.exp(8 * Math.random()), attributes }));

/** Microseconds a data point. */
interface Times {
  readonly record: number;
  readonly encode: number;
}

async function timed(record: () => void, encode: () => Promise<unknown>): Promise<Times> {
  const began = performance.now();
  record();
  const recorded = performance.now();
  await encode();
  const scale = 1000 / SERIES;
  return { record: (recorded - began) * scale, encode: (performance.now() - recorded) * scale };
}

async function compare(bounds: readonly number[] | "exponential"): Promise<string[][]> {
  const config = durations(2 * SERIES, bounds);
  const here = recordingOf(config, systemClock);
  const sdk = sdkRecorder(config);
  const ours: Times[] = [];
  const theirs: Times[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const measured = batch();
    const own = await timed(() => here.add(measured), () => here.collect(LIMITS, "none"));
    const other = await timed(() => sdk.record(measured), () => sdk.collect(1, 2));
    if (round < 0) continue;
    ours.push(own);
    theirs.push(other);
  }
  return [...rows(bounds, "recorder", ours), ...rows(bounds, "SDK and its serializer", theirs)];
}

function rows(bounds: readonly number[] | "exponential", who: string, times: readonly Times[]) {
  const record = median(times.map((time) => time.record));
  const encode = median(times.map((time) => time.encode));
  const what = bounds === "exponential" ? bounds : `${bounds.length} bounds`;
  const figures = [record, encode, record + encode].map((time) => `${time.toFixed(2)} µs`);
  return [[`${what}: ${who}`, ...figures]];
}

console.log(`${SERIES} series, medians of ${ROUNDS} rounds, deno ${Deno.version.deno}\n`);
console.log(table([
  ["a data point", "record", "collect and encode", "together"],
  ...await compare(BOUNDS),
  ...await compare("exponential"),
]));
