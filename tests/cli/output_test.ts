import assert from "node:assert/strict";
import { Output } from "../../src/cli/output.ts";

/** Standard output that does with each write what `take` says: how many bytes it takes, or what it throws. */
function world(
  take: (bytes: Uint8Array) => number | Error | Promise<number>,
  stalled: (ms: number) => void = () => {},
) {
  let out = "";
  let err = "";
  let now = 0;
  const reasons: string[] = [];
  let closed = 0;
  const decoder = new TextDecoder();
  const output = new Output({
    stdout: {
      isTerminal: () => false,
      async write(bytes) {
        const taken = await take(bytes);
        if (taken instanceof Error) throw taken;
        out += decoder.decode(bytes.subarray(0, taken), { stream: true });
        return taken;
      },
    },
    stderr: {
      isTerminal: () => false,
      write(bytes) {
        err += decoder.decode(bytes);
        return Promise.resolve(bytes.length);
      },
    },
    closed: () => closed++,
    failed: (reason) => reasons.push(reason),
    stalled,
    sleep(ms) {
      now += ms;
      return Promise.resolve();
    },
    now: () => now,
  });
  return { output, reasons, out: () => out, err: () => err, closed: () => closed, now: () => now };
}

const wouldBlock = () => new Deno.errors.WouldBlock("Resource temporarily unavailable");

Deno.test("Output writes all of it, in order, when only a part is taken at once", async () => {
  const { output, out } = world((bytes) => Math.min(bytes.length, 3));
  output.stdout("one\n");
  output.stdout("two ✓\n");
  await output.flushed();
  assert.equal(out(), "one\ntwo ✓\n");
});

Deno.test("Output waits for a slow reader, and writes nothing twice", async () => {
  let call = 0;
  const { output, out, now, reasons } = world((bytes) =>
    call++ % 5 < 4 ? wouldBlock() : bytes.length
  );
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i}\n`);
  for (const line of lines) output.stdout(line);
  await output.flushed();
  assert.equal(out(), lines.join(""));
  assert.ok(now() > 0, "it waited in between");
  assert.deepEqual(reasons, []);
  assert.equal(output.failed, false);
});

Deno.test("Output writes whole lines that a pipe takes at once, or pieces of a longer one", async () => {
  const sizes: number[] = [];
  const ends: (number | undefined)[] = [];
  const { output } = world((bytes) => {
    sizes.push(bytes.length);
    ends.push(bytes.at(-1));
    return bytes.length;
  });
  for (let i = 0; i < 100; i++) output.stdout(`${"x".repeat(99)}\n`);
  output.stdout(`${"y".repeat(5000)}\n`);
  await output.flushed();
  assert.ok(sizes.every((size) => size <= 4096), `${sizes}`);
  assert.equal(sizes.reduce((sum, size) => sum + size), 15_001);
  assert.equal(ends.filter((end) => end !== 0x0a).length, 1, "only the long line was cut");
});

Deno.test("Output gives up, and says so once, when a reader takes nothing for a minute", async () => {
  const { output, reasons, now } = world(wouldBlock);
  output.stdout("one\n");
  await output.flushed();
  output.stdout("two\n");
  await output.flushed();
  assert.equal(reasons.length, 1);
  assert.ok(now() > 60_000);
  assert.equal(output.failed, true);
});

Deno.test("Output says once that it fails, and begins a new line when it works again", async () => {
  const full = new Error("No space left on device");
  let call = 0;
  const { output, out, reasons } = world((bytes) =>
    call === 1 || call === 2 ? (call++, full) : (call++, Math.min(bytes.length, 4))
  );
  output.stdout("first\n");
  await output.flushed();
  output.stdout("second\n");
  await output.flushed();
  output.stdout("third\n");
  await output.flushed();
  assert.deepEqual(reasons, ["No space left on device"]);
  assert.equal(output.failed, true);
  assert.equal(out(), "firs\nthird\n");
});

Deno.test("Output is closed when nobody reads any more, which is no failure", async () => {
  const { output, reasons, closed, err } = world(() => new Deno.errors.BrokenPipe("Broken pipe"));
  output.stdout("one\n");
  output.stderr("two\n");
  await output.flushed();
  output.stdout("three\n");
  await output.flushed();
  assert.deepEqual({ reasons, closed: closed(), failed: output.failed }, {
    reasons: [],
    closed: 1,
    failed: false,
  });
  assert.equal(err(), "two\n");
});

Deno.test("hasRoom() resolves when a slow reader has taken enough, or at once when it is stopped", async () => {
  const taken = Promise.withResolvers<void>();
  let waits = true;
  const { output } = world(async (bytes) => {
    if (waits) await taken.promise;
    return bytes.length;
  });
  const stop = new AbortController();
  output.stdout("x".repeat(3 * 2 ** 20));
  let hasRoom = false;
  const room = output.hasRoom(stop.signal).then(() => hasRoom = true);
  await output.hasRoom(AbortSignal.abort());
  assert.equal(hasRoom, false);
  waits = false;
  taken.resolve();
  await room;
  await output.flushed();
});

Deno.test("hurry() lets standard error past a standard output that hangs", async () => {
  const { output, err } = world(() => new Promise(() => {}));
  output.stdout("one\n");
  await Promise.resolve();
  output.stderr("two\n");
  output.hurry();
  output.stderr("three\n");
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(err(), "two\nthree\n");
});

Deno.test("hasRoom() says once that nobody reads, past what waits, and waits on for a reader", async () => {
  const stalls: number[] = [];
  const taken = Promise.withResolvers<void>();
  const { output, err } = world(
    async (bytes) => {
      await taken.promise;
      return bytes.length;
    },
    (ms) => {
      stalls.push(ms);
      output.stderr("nobody reads\n");
    },
  );
  const stop = new AbortController();
  output.stdout("x".repeat(2 ** 20));
  output.stderr("before\n");
  output.stdout("x");
  let rooms = 0;
  const waiting = [1, 2].map(() => output.hasRoom(stop.signal).then(() => rooms++));
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assert.deepEqual({ stalls, err: err(), rooms }, {
    stalls: [5000],
    err: "before\nnobody reads\n",
    rooms: 0,
  });
  taken.resolve();
  await Promise.all(waiting);
  await output.flushed();
  output.stdout("y".repeat(2 ** 20 + 1));
  assert.equal(await output.hasRoom(stop.signal), true);
  assert.deepEqual(stalls, [5000]);
});
