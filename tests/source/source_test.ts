import assert from "node:assert/strict";
import { steady } from "../../src/source/generate/pace.ts";
import {
  CountSource,
  type Generate,
  PaceSource,
} from "../../src/source/generate/generated_source.ts";
import { batchSource, emptySource, type Filled, type Records } from "../../src/source/source.ts";
import { InputSource } from "../../src/source/input/input_source.ts";
import { type Input, readInput } from "../../src/source/input/input.ts";
import type { InputOptions } from "../../src/source/input/line_readers.ts";
import { InputError } from "../../src/source/input/input_error.ts";
import type { Batch } from "../../src/source/input/sink.ts";
import type { MeasuredHistogram, Measurement } from "../../src/aggregate/measurement.ts";
import { UsageError } from "../../src/platform/errors.ts";
import { SimulatedClock } from "../support/simulation.ts";
import { StillClock } from "../support/still_clock.ts";

const go = new AbortController().signal;
const one: Measurement = { value: 1, attributes: {} };

/** Counts what is recorded. */
class Counter implements Records {
  recorded = 0;

  add(batch: readonly Measurement[]): void {
    this.recorded += batch.length;
  }

  addHistograms(batch: readonly MeasuredHistogram[]): void {
    for (const { count } of batch) this.recorded += count;
  }

  addInstrument(): never {
    throw new Error("There is one instrument");
  }

  /** Full when it has so many. */
  most = Infinity;

  get isFull(): boolean {
    return this.recorded >= this.most;
  }
}

const noFamilies = (): never => {
  throw new Error("No input is an exposition");
};

/** An input that is written to like a pipe. */
class Pipe implements Input {
  readonly progress = {
    bytes: 0,
    lines: 0,
    measurements: 0,
    histograms: 0,
    invalid: 0,
    skipped: 0,
  };
  /** How many batches were taken. */
  taken = 0;
  readonly #batches: (number | Error | undefined)[] = [];
  #arrived = Promise.withResolvers<void>();

  /** So many measurements; an error breaks the input off, undefined ends it. */
  push(...batches: readonly (number | Error | undefined)[]): void {
    this.#batches.push(...batches);
    this.#arrived.resolve();
  }

  unseenFields(): readonly string[] {
    return [];
  }

  looksTimed(): undefined {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch> {
    for (;;) {
      while (this.#batches.length === 0) {
        this.#arrived = Promise.withResolvers();
        await this.#arrived.promise;
      }
      const next = this.#batches.shift();
      if (next === undefined) return;
      if (next instanceof Error) throw next;
      this.taken++;
      yield { measurements: new Array<Measurement>(next).fill(one), histograms: [], exposed: [] };
    }
  }
}

const generate = (recorder: Records, count: number) => {
  recorder.add(new Array<Measurement>(count).fill(one));
  return count;
};
const neverBehind = (measurements: number): void => {
  throw new Error(`${measurements} behind`);
};

function rated(rate: number, count?: number, behind = neverBehind) {
  const clock = new SimulatedClock();
  const recorder = new Counter();
  const source = new PaceSource(generate, { pace: steady(rate), count, onBehind: behind }, clock);
  const start = clock.monotonic();
  /** Until so many ms after the start. */
  const fill = (until: number | undefined, stop = go): Promise<Filled> =>
    clock.run(source.fill(recorder, until === undefined ? undefined : start + until, stop));
  return { clock, recorder, source, fill };
}

Deno.test("emptySource records nothing and is at its end", async () => {
  const recorder = new Counter();
  assert.deepEqual(await emptySource.fill(recorder, 0, go), { measurements: 0, ended: true });
  assert.equal(recorder.recorded, 0);
});

Deno.test("batchSource() and CountSource record the same amount for every send", async () => {
  const recorder = new Counter();
  const batch = batchSource(() => [one, one]);
  const clock = new SimulatedClock();
  const count = new CountSource(generate, 3, clock);
  for (let send = 1; send <= 2; send++) {
    assert.deepEqual(await batch.fill(recorder, 0, go), { measurements: 2, ended: false });
    assert.deepEqual(await count.fill(recorder, 0, go), { measurements: 3, ended: false });
    assert.equal(recorder.recorded, send * 5);
  }
});

Deno.test("PaceSource records exactly its rate in every interval", async () => {
  const { fill, recorder } = rated(1000);
  for (let interval = 1; interval <= 4; interval++) {
    assert.deepEqual(await fill(interval * 250), { measurements: 250, ended: false });
  }
  assert.equal(recorder.recorded, 1000);
});

Deno.test("PaceSource makes up for the time that a send took", async () => {
  const { clock, fill } = rated(100);
  await fill(100);
  await clock.run(clock.sleep(750, go));
  // Due at 200, but the send before it lasted until 850.
  assert.equal((await fill(200)).measurements, 10);
  assert.equal((await fill(900)).measurements, 70);
});

Deno.test("PaceSource ends after its count, as soon as that is due", async () => {
  const { clock, fill } = rated(1000, 120);
  const before = clock.monotonic();
  assert.deepEqual(await fill(Infinity), { measurements: 120, ended: true });
  const took = clock.monotonic() - before;
  assert.ok(took >= 120 && took <= 170, `${took} ms`);
});

Deno.test("PaceSource waits for something when there is no interval", async () => {
  const { clock, fill } = rated(2);
  const before = clock.monotonic();
  assert.deepEqual(await fill(undefined), { measurements: 1, ended: false });
  assert.ok(clock.monotonic() - before >= 500);
});

Deno.test("PaceSource counts the interval that a signal cuts short", async () => {
  const { clock, source, fill, recorder } = rated(1000);
  const stop = new AbortController();
  clock.after(333, () => stop.abort());
  assert.deepEqual(await fill(10_000, stop.signal), { measurements: 333, ended: false });
  source.close();
  assert.equal((await fill(400)).measurements, 0);
  assert.equal(recorder.recorded, 333);
});

Deno.test("PaceSource counts what was due when it was closed during a send, and nothing after", async () => {
  const { clock, source, fill } = rated(1000);
  await fill(100);
  await clock.run(clock.sleep(300, go));
  source.close();
  await clock.run(clock.sleep(5000, go));
  source.close();
  assert.equal((await fill(5400)).measurements, 300);
  assert.equal((await fill(9000)).measurements, 0);
});

Deno.test("PaceSource makes nothing more when it is closed right after an interval", async () => {
  const { clock, source, fill } = rated(1000);
  await fill(100);
  await clock.run(clock.sleep(2, go));
  source.close();
  assert.equal((await fill(103)).measurements, 0);
});

Deno.test("PaceSource makes nothing that is due after the schedule's end, however late it is closed", async () => {
  const { clock, source, recorder, fill } = rated(1000);
  const start = clock.monotonic();
  source.begin(start, start + 1500);
  await fill(1500);
  await clock.run(clock.sleep(100, go));
  source.close();
  assert.equal((await fill(1600)).measurements, 0);
  assert.equal(recorder.recorded, 1500);
});

Deno.test("PaceSource counts from when the schedule begins, to the last measurement", async () => {
  const { clock, source, recorder, fill } = rated(4000);
  const start = clock.monotonic();
  source.begin(start, Infinity);
  await clock.run(clock.sleep(0.3, go));
  await fill(3000);
  assert.equal(recorder.recorded, 12_000);
});

Deno.test("CountSource makes many measurements piece by piece, and stops in between", async () => {
  const clock = new StillClock();
  const stop = new AbortController();
  const recorder = new Counter();
  const pieces: number[] = [];
  const count = new CountSource(
    (records, some) => {
      pieces.push(some);
      return generate(records, some);
    },
    250_000,
    clock,
  );
  assert.deepEqual(await count.fill(recorder, 0, stop.signal), {
    measurements: 250_000,
    ended: false,
  });
  assert.deepEqual(pieces, [100_000, 100_000, 50_000]);
  const more = new CountSource(
    (records, some) => {
      clock.now += 30;
      if (recorder.recorded >= 550_000) stop.abort();
      return generate(records, some);
    },
    300_000_000,
    clock,
  );
  const { measurements, ended } = await more.fill(recorder, 0, stop.signal);
  assert.equal(ended, false);
  assert.equal(measurements, 400_000, "those that were made when it was stopped");
  assert.equal(recorder.recorded, 650_000);
  assert.equal(count.status.unfinished, undefined);
  assert.equal(more.status.unfinished, "400000 of 300000000 measurements were made");
});

Deno.test("CountSource is unfinished when a send is cut short that is its first, or has an exact number", async () => {
  const left: boolean[] = [];
  for (const isExact of [false, true]) {
    for (const first of [10, 3]) {
      const stop = new AbortController();
      const clock = new StillClock();
      const recorder = new Counter();
      const source = new CountSource(
        (records, some) => {
          clock.now += 60;
          if (recorder.recorded >= first * 100_000) stop.abort();
          return generate(records, some);
        },
        500_000,
        clock,
        { isExact },
      );
      assert.equal(source.status.unfinished, undefined);
      for (let send = 0; send < 3 && !stop.signal.aborted; send++) {
        await source.fill(recorder, 0, stop.signal);
      }
      assert.ok(recorder.recorded % 500_000 > 0, `${recorder.recorded}`);
      left.push(source.status.unfinished !== undefined);
    }
  }
  assert.deepEqual(left, [false, true, true, true]);
});

Deno.test("PaceSource is unfinished until --count were made, and never without one", async () => {
  for (
    const [count, at500, at1000] of [
      [10, "5 of 10 measurements were made", undefined],
      [undefined, undefined, undefined],
    ] as const
  ) {
    const { fill, source } = rated(10, count);
    await fill(500);
    assert.equal(source.status.unfinished, at500);
    await fill(1000);
    assert.equal(source.status.unfinished, at1000);
  }
});

Deno.test("PaceSource and CountSource report a send that is due and has nothing in it", async () => {
  const clock = new SimulatedClock();
  const none: Generate = () => 0;
  const count = new CountSource(none, 3, clock);
  const nothing = { measurements: 0, ended: false };
  assert.deepEqual(await count.fill(new Counter(), 0, go), nothing);
  const pace = new PaceSource(
    none,
    { pace: steady(10), count: undefined, onBehind: neverBehind },
    clock,
  );
  const until = clock.monotonic() + 1000;
  assert.deepEqual(await clock.run(pace.fill(new Counter(), until, go)), nothing);
  const early = clock.run(pace.fill(new Counter(), until + 10, go));
  assert.deepEqual(await early, { measurements: 0, ended: false }, "nothing was due");
});

Deno.test("PaceSource says once that it cannot keep up", async () => {
  const said: number[] = [];
  const { clock, fill } = rated(1e6, undefined, (n) => void said.push(n));
  await fill(1);
  await clock.run(clock.sleep(2000, go));
  await fill(2001);
  assert.equal(said.length, 1);
  assert.equal(said[0], 2_000_000);
});

Deno.test("InputSource records what comes until the end of the interval", async () => {
  const clock = new SimulatedClock();
  const recorder = new Counter();
  const pipe = new Pipe();
  const source = new InputSource(pipe, clock, noFamilies);
  clock.after(30, () => pipe.push(2, 3));
  clock.after(130, () => pipe.push(4));
  const start = clock.monotonic();
  const fill = (until: number) => clock.run(source.fill(recorder, start + until, go));
  assert.deepEqual(await fill(100), { measurements: 5, ended: false });
  assert.deepEqual(await fill(200), { measurements: 4, ended: false });
  assert.deepEqual(await fill(300), { measurements: 0, ended: false });
  clock.after(50, () => pipe.push(1, undefined));
  assert.deepEqual(await fill(10_000), { measurements: 1, ended: true });
  assert.ok(clock.monotonic() < start + 400, "the end of the input ends the interval");
  assert.equal(recorder.recorded, 10);
});

Deno.test("InputSource records histograms that exist already, and counts what they count", async () => {
  const clock = new SimulatedClock();
  const recorder = new Counter();
  const lines = '{"bounds":[5],"counts":[2,3]}\n{"value":1}\n{"bounds":[],"counts":[4]}\n';
  const stream = ReadableStream.from([new TextEncoder().encode(lines)]);
  const input = readInput(stream, {
    format: "ndjson",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
    onInvalid: () => {},
  });
  const filled = await new InputSource(input, clock, noFamilies).fill(recorder, undefined, go);
  assert.deepEqual([filled.measurements, recorder.recorded], [10, 10]);
});

Deno.test("InputSource returns with the first batch when there is no interval", async () => {
  const clock = new SimulatedClock();
  const pipe = new Pipe();
  const source = new InputSource(pipe, clock, noFamilies);
  clock.after(500, () => pipe.push(7));
  const filled = await clock.run(source.fill(new Counter(), undefined, go));
  assert.deepEqual(filled, { measurements: 7, ended: false });
});

Deno.test("InputSource returns at a signal with what was read", async () => {
  const clock = new SimulatedClock();
  const pipe = new Pipe();
  const stop = new AbortController();
  clock.after(10, () => pipe.push(3));
  clock.after(20, () => stop.abort());
  const filled = await clock.run(
    new InputSource(pipe, clock, noFamilies).fill(new Counter(), Infinity, stop.signal),
  );
  assert.deepEqual(filled, { measurements: 3, ended: false });
});

Deno.test("InputSource is finished at the end of its input, or when it is endless", async () => {
  const clock = new SimulatedClock();
  const stop = new AbortController();
  const lines = (more: readonly string[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const line of more) controller.enqueue(new TextEncoder().encode(line));
      },
      pull: (controller) => more.length === 0 ? controller.close() : undefined,
    });
  const options: InputOptions = {
    format: "text",
    values: [{ field: "value" }],
    attrFields: [],
    scale: 1,
    onInvalid: () => {},
  };
  const open = readInput(lines(["1\n2\n", "3\n"]), options);
  const endless = readInput(lines(["1\n"]), options);
  const closed = readInput(ReadableStream.from([new TextEncoder().encode("1\n2\n")]), options);
  const sources = [
    new InputSource(open, clock, noFamilies),
    new InputSource(endless, clock, noFamilies, { isEndless: true }),
    new InputSource(closed, clock, noFamilies),
  ];
  clock.after(20, () => stop.abort());
  for (const source of sources) {
    await clock.run(source.fill(new Counter(), clock.monotonic() + 10, stop.signal));
  }
  assert.deepEqual(sources.map(({ status }) => status.unfinished), [
    "3 lines of the input were read",
    undefined,
    undefined,
  ]);
});

Deno.test("InputSource stays held, however often it is told, until it may go on", async () => {
  const clock = new SimulatedClock();
  const recorder = new Counter();
  const pipe = new Pipe();
  const source = new InputSource(pipe, clock, noFamilies);
  const start = clock.monotonic();
  const fill = (until: number) => clock.run(source.fill(recorder, start + until, go));
  pipe.push(1);
  await fill(100);
  for (let interval = 2; interval <= 6; interval++) {
    source.hold(true);
    pipe.push(1);
    await fill(interval * 100);
  }
  // The one that was asked for already is still taken.
  assert.equal(pipe.taken, 2);
  source.hold(false);
  assert.equal((await fill(700)).measurements, 4);
  assert.equal(recorder.recorded, 6);
});

Deno.test("InputSource gives the recorder to whoever empties it when it is full, and reads no further", async () => {
  const clock = new SimulatedClock();
  const recorder = new Counter();
  const pipe = new Pipe();
  const source = new InputSource(pipe, clock, noFamilies);
  const start = clock.monotonic();
  recorder.most = 1;
  pipe.push(1, 1, undefined);
  const first = await clock.run(source.fill(recorder, Infinity, go));
  assert.deepEqual(first, { measurements: 1, ended: false });
  assert.equal(clock.monotonic(), start);
  // Held, it waits for its time.
  source.hold(true);
  await clock.run(source.fill(recorder, start + 50, go));
  assert.equal(clock.monotonic(), start + 50);
  assert.equal(pipe.taken, 1);
  source.hold(false);
  recorder.most = Infinity;
  const rest = await clock.run(source.fill(recorder, Infinity, go));
  assert.deepEqual(rest, { measurements: 1, ended: true });
});

Deno.test("InputSource records nothing once it is closed, held or not", async () => {
  for (const held of [false, true]) {
    const clock = new SimulatedClock();
    const recorder = new Counter();
    const pipe = new Pipe();
    const source = new InputSource(pipe, clock, noFamilies);
    pipe.push(2);
    await clock.run(source.fill(recorder, clock.monotonic() + 10, go));
    source.hold(held);
    source.close();
    pipe.push(5, 5);
    const filled = await clock.run(source.fill(recorder, clock.monotonic() + 10, go));
    assert.equal(filled.measurements, 0);
    assert.equal(recorder.recorded, 2);
  }
});

Deno.test("InputSource says why an input broke off, and counts what came before", async () => {
  const clock = new SimulatedClock();
  const pipe = new Pipe();
  const source = new InputSource(pipe, clock, noFamilies);
  assert.equal(source.status.broken, undefined);
  pipe.push(4, new InputError("no more disk"));
  const filled = await clock.run(source.fill(new Counter(), Infinity, go));
  assert.deepEqual(filled, { measurements: 4, ended: true });
  assert.equal(source.status.broken, "no more disk");
});

Deno.test("InputSource throws what the user has to mend", async () => {
  const clock = new SimulatedClock();
  const pipe = new Pipe();
  pipe.push(new UsageError("no such column"));
  await assert.rejects(
    clock.run(new InputSource(pipe, clock, noFamilies).fill(new Counter(), Infinity, go)),
    new UsageError("no such column"),
  );
});

Deno.test("InputSource throws a fault of this program, and does not take it for an input that broke off", async () => {
  const clock = new SimulatedClock();
  const fault = new TypeError("undefined is not a function");
  const reading = new Pipe();
  reading.push(fault);
  const recording = new Pipe();
  recording.push(4);
  const recorder = new Counter();
  recorder.add = () => {
    throw fault;
  };
  for (const [pipe, into] of [[reading, new Counter()], [recording, recorder]] as const) {
    const source = new InputSource(pipe, clock, noFamilies);
    await assert.rejects(clock.run(source.fill(into, Infinity, go)), fault);
    assert.equal(source.status.broken, undefined);
  }
});
