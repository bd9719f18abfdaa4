import assert from "node:assert/strict";
import fc from "fast-check";
import type { Pending } from "../../../src/delivery/delivering.ts";
import { UsageError } from "../../../src/platform/errors.ts";
import { type Files, systemFiles } from "../../../src/delivery/spool/files.ts";
import { openSpool, type Spool } from "../../../src/delivery/spool/spool.ts";
import { requestOf, SimulatedClock } from "../../support/simulation.ts";

const CLOCK = new SimulatedClock();
const NOW = CLOCK.wall();

/** Runs `work` with a directory that is removed afterwards. */
async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function open(directory: string, through?: Files): Promise<Spool> {
  const spool = await openSpool(directory, "the spool", CLOCK, through);
  assert.ok("store" in spool, `unusable: ${JSON.stringify(spool)}`);
  return spool;
}

/** What the next process finds; its warnings too. */
async function found(directory: string) {
  const spool = await open(directory);
  spool.close();
  return spool;
}

function pendingOf(counts: readonly number[], recordedAt = NOW): Pending {
  return {
    request: requestOf(counts, counts[0]),
    iteration: 1,
    recordedAt,
    bornAt: CLOCK.monotonic(),
    stored: undefined,
    attempts: 0,
    mayHaveArrived: false,
    possiblyDuplicated: false,
  };
}

/** Saves and gives the name. */
async function save({ store }: Spool, pending: Pending, half?: 1 | 2): Promise<string> {
  const { stored, warning } = await store.save([pending], half === undefined ? {} : { half });
  assert.equal(warning, undefined);
  assert.ok(stored !== undefined);
  return stored;
}

function counts(left: readonly Pending[]): readonly number[] {
  return left.map(({ request }) => request.measurements);
}

async function files(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) if (name !== "lock") names.push(name);
  return names.sort();
}

Deno.test("openSpool() gives back what was saved, bytes and all, oldest first", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    await save(spool, pendingOf([3], NOW - 1000));
    await save(spool, pendingOf([1, 4], NOW - 2000));
    await save(spool, pendingOf([2], NOW - 1000));
    spool.close();
    const { left, warnings } = await found(directory);
    assert.deepEqual(counts(left), [5, 3, 2]);
    assert.deepEqual(
      left.map(({ request }) => request),
      [[1, 4], [3], [2]].map((of) => requestOf(of, of[0])),
    );
    assert.deepEqual(left.map(({ recordedAt }) => recordedAt), [
      NOW - 2000,
      NOW - 1000,
      NOW - 1000,
    ]);
    assert.deepEqual(left.map(({ bornAt }) => CLOCK.monotonic() - bornAt), [2000, 1000, 1000]);
    assert.deepEqual(warnings, []);
  });
});

Deno.test("openSpool() makes the directory and those above when they are missing", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(`${directory}/a/b/c`);
    await save(spool, pendingOf([1]));
    spool.close();
    assert.equal((await files(`${directory}/a/b/c`)).length, 1);
  });
});

Deno.test("forget() removes for good, and again without a word", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([1]));
    assert.equal(await spool.store.forget(name), undefined);
    assert.equal(await spool.store.forget(name), undefined);
    spool.close();
    assert.deepEqual((await found(directory)).left, []);
  });
});

Deno.test("openSpool() throws a UsageError when somebody else has the directory", async () => {
  await inDirectory(async (directory) => {
    const first = await open(directory);
    await assert.rejects(openSpool(directory, "the spool", CLOCK), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.match(thrown.message, /^Another process uses the spool "the spool"/);
      return true;
    });
    first.close();
    await found(directory);
  });
});

Deno.test("openSpool() throws a UsageError when the directory is a file", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    await assert.rejects(openSpool(`${directory}/file`, "the spool", CLOCK), UsageError);
  });
});

Deno.test("openSpool() says why when the directory cannot be made", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    const spool = await openSpool(`${directory}/file/spool`, "the spool", CLOCK);
    assert.ok("unusable" in spool);
    assert.match(
      spool.unusable,
      /^Cannot use the spool "the spool" \(.+\): unsent data is kept in memory only/,
    );
  });
});

Deno.test("save() warns once, and goes on without, when it cannot write", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(`${directory}/spool`);
    await Deno.remove(`${directory}/spool`, { recursive: true });
    await Deno.writeTextFile(`${directory}/spool`, "in the way");
    const warnings = [];
    for (const count of [1, 2]) warnings.push(await spool.store.save([pendingOf([count])]));
    assert.deepEqual(warnings.map(({ stored }) => stored), [undefined, undefined]);
    assert.match(warnings[0]?.warning ?? "", /^Cannot write to the spool "the spool"/);
    assert.equal(warnings[1]?.warning, undefined);
    await Deno.remove(`${directory}/spool`);
    await save(spool, pendingOf([3]));
    spool.close();
    assert.deepEqual(counts((await found(`${directory}/spool`)).left), [3]);
  });
});

Deno.test("openSpool() leaves somebody else's files where they are, and says so once", async () => {
  await inDirectory(async (directory) => {
    for (const name of ["notes.txt", "a.json", "b.json", "\x1b[31mred", "backup.otlp.bak"]) {
      await Deno.writeTextFile(`${directory}/${name}`, "important");
    }
    await Deno.mkdir(`${directory}/folder.otlp`);
    const before = await files(directory);
    const { left, warnings } = await found(directory);
    assert.deepEqual(left, []);
    assert.deepEqual(await files(directory), before);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /and 2 more in the spool "the spool": no files of a spool/);
    assert.ok(!warnings[0]?.includes("\x1b"), "what a name holds is made harmless");
  });
});

Deno.test("openSpool() sets aside, with a warning, what only looks like a request", async () => {
  for (
    const text of [
      "",
      "\n",
      "garbage",
      "{}",
      '{"format":1}\n',
      "otlp-histogram spool 1 00\n{}\n",
      "\0".repeat(5000),
    ]
  ) {
    await inDirectory(async (directory) => {
      const name = "000000000000001-00000000-00000000.otlp";
      await Deno.writeTextFile(`${directory}/${name}`, text);
      const { left, warnings } = await found(directory);
      assert.deepEqual(left, []);
      assert.match(
        warnings.join("\n"),
        /is torn or none of its requests: not sent, set aside in set-aside\//,
      );
      assert.equal(await Deno.readTextFile(`${directory}/set-aside/${name}`), text);
      assert.deepEqual((await found(directory)).warnings, [], "it is said once");
    });
  }
});

Deno.test("openSpool() never gives a request that was cut off, wherever it was", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([1, 2]));
    spool.close();
    const whole = await Deno.readFile(`${directory}/${name}`);
    await Deno.remove(`${directory}/${name}`);
    for (const suffix of ["", ".part"]) {
      for (let length = 0; length < whole.length; length++) {
        await Deno.writeFile(
          `${directory}/${String(length).padStart(15, "0")}-00000000-00000000.otlp${suffix}`,
          whole.subarray(0, length),
        );
      }
      const { left, warnings } = await found(directory);
      assert.deepEqual(left, []);
      assert.equal(warnings.length, whole.length);
      assert.deepEqual(await files(directory), ["set-aside"]);
    }
  });
});

Deno.test("openSpool() never gives a request in which a byte has changed", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([1, 2]));
    spool.close();
    const whole = await Deno.readFile(`${directory}/${name}`);
    await Deno.remove(`${directory}/${name}`);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const changed = whole.slice();
          changed[at] = (changed[at] ?? 0) ^ change;
          await Deno.writeFile(`${directory}/${name}`, changed);
          assert.deepEqual((await found(directory)).left, []);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

Deno.test("openSpool() takes what was written whole when its process died before the rename", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([7]));
    spool.close();
    await Deno.rename(`${directory}/${name}`, `${directory}/${name}.part`);
    const { left, warnings } = await found(directory);
    assert.deepEqual(counts(left), [7]);
    assert.deepEqual(warnings, []);
    assert.equal(left[0]?.stored, name);
    assert.equal(left[0]?.mayHaveArrived, false, "it cannot have been sent before the rename");
    assert.deepEqual(await files(directory), [name]);
  });
});

Deno.test("openSpool() gives neither too much nor too little wherever a process died while it split a request", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const whole = await save(spool, pendingOf([3, 4], NOW - 1));
    await save(spool, pendingOf([9], NOW));
    const expect = async (expected: readonly number[], what: string) => {
      await copied(directory, async (copy) => {
        const { left, warnings } = await found(copy);
        assert.deepEqual(counts(left), expected, what);
        assert.deepEqual(warnings, []);
        assert.deepEqual(counts((await found(copy)).left), expected, `${what}, and once more`);
      });
    };
    const half = (count: number) => ({ ...pendingOf([count], NOW - 1), stored: whole });
    await expect([7, 9], "before");
    await Deno.writeTextFile(`${directory}/${whole.replace(".otlp", "-1.otlp.part")}`, "otlp-hist");
    await expect([7, 9], "the first half is being written");
    await Deno.remove(`${directory}/${whole.replace(".otlp", "-1.otlp.part")}`);
    await save(spool, half(3), 1);
    await expect([7, 9], "the first half is there");
    await save(spool, half(4), 2);
    await expect([7, 9], "both halves are there");
    await spool.store.forget(whole);
    await expect([3, 4, 9], "the whole is gone: the halves stand in its place");
    await spool.store.forget(whole.replace(".otlp", "-1.otlp"));
    await expect([4, 9], "the first half is settled");
    spool.close();
  });
});

Deno.test("markUnsent() lets the next process know that nothing can have arrived", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const [sent, unsent] = [await save(spool, pendingOf([1])), await save(spool, pendingOf([2]))];
    await spool.store.markUnsent(unsent);
    spool.close();
    const next = await open(directory);
    assert.deepEqual(next.left.map(({ mayHaveArrived }) => mayHaveArrived), [true, false]);
    assert.deepEqual(next.left.map(({ stored }) => stored), [sent, unsent]);
    // It dies here: by then it may have sent it.
    next.close();
    assert.deepEqual((await found(directory)).left.map(({ mayHaveArrived }) => mayHaveArrived), [
      true,
      true,
    ]);
  });
});

Deno.test("openSpool() makes nothing older or younger than it can be when the clock was set back", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    await save(spool, pendingOf([1], NOW + 86_400_000));
    spool.close();
    assert.equal((await found(directory)).left[0]?.bornAt, CLOCK.monotonic());
  });
});

Deno.test("save() writes neither address nor header nor anything but the request and its counts", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const pending = pendingOf([1]);
    const name = await save(spool, pending);
    spool.close();
    const bytes = await Deno.readFile(`${directory}/${name}`);
    const text = new TextDecoder("latin1").decode(bytes);
    const [first = "", described = ""] = text.split("\n", 2);
    assert.match(first, /^otlp-histogram spool 2 [0-9a-f]{64}$/);
    assert.deepEqual(JSON.parse(described), {
      recordedAt: NOW,
      requests: [{
        encoding: "identity",
        points: 1,
        measurements: 1,
        bytes: pending.request.body.length,
      }],
    });
    assert.deepEqual(bytes.subarray(first.length + described.length + 2), pending.request.body);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(`${directory}/${name}`)).mode ?? 0) & 0o777, 0o600);
    }
  });
});

Deno.test("openSpool() takes over what version 2.0 left", async () => {
  await inDirectory(async (directory) => {
    const { request } = pendingOf([4]);
    const described = new Uint8Array([
      ...new TextEncoder().encode(
        `{"recordedAt":${NOW},"encoding":"identity","points":1,"measurements":4}\n`,
      ),
      ...request.body,
    ]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", described)).toHex();
    await Deno.writeFile(
      `${directory}/000001000000000-00000000-0a1b2c3d.otlp`,
      new Uint8Array([
        ...new TextEncoder().encode(`otlp-histogram spool 1 ${digest}\n`),
        ...described,
      ]),
    );
    const spool = await open(directory);
    spool.close();
    assert.deepEqual(spool.warnings, []);
    assert.deepEqual(counts(spool.left), [4]);
    assert.deepEqual(spool.left[0]?.request.body, request.body);
  });
});

/** The value of a checkpoint, which the spool does not look at. */
const place = (offset: number) => ({ offset, anything: [null, true] });

function checkpointAt(offset: number) {
  return { checkpoint: { id: "/log", value: place(offset) } };
}

function assertCheckpoint({ checkpoint }: Spool, offset: number, sequence: number): void {
  assert.deepEqual(
    { id: checkpoint?.id, value: checkpoint?.value, sequence: checkpoint?.sequence },
    { id: "/log", value: place(offset), sequence },
  );
}

Deno.test("openSpool() reads a checkpoint as it is on disk, and names the file that it is in", async () => {
  await inDirectory(async (directory) => {
    const { request } = pendingOf([4]);
    const size = request.body.length;
    const write = async (file: string, description: string, body: Uint8Array) => {
      const described = new Uint8Array([...new TextEncoder().encode(`${description}\n`), ...body]);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", described)).toHex();
      const head = new TextEncoder().encode(`otlp-histogram spool 2 ${digest}\n`);
      await Deno.writeFile(`${directory}/${file}`, new Uint8Array([...head, ...described]));
    };
    const followed = (sequence: number) =>
      JSON.stringify({ path: "/log", place: { at: sequence, files: [] }, sequence });
    await write(
      "place",
      `{"recordedAt":0,"requests":[],"followed":${followed(7)}}`,
      new Uint8Array(),
    );
    const kept = { id: "/log", value: { at: 7, files: [] }, sequence: 7 };
    assert.deepEqual((await found(directory)).checkpoint, { ...kept, file: "the spool/place" });
    const name = "000001000000000-00000000-0a1b2c3d.otlp";
    await write(
      name,
      `{"recordedAt":${NOW},"requests":[{"encoding":"identity","points":1,"measurements":4,"bytes":${size}}],` +
        `"followed":${followed(8)}}`,
      request.body,
    );
    const { left, checkpoint, warnings } = await found(directory);
    assert.deepEqual([counts(left), warnings], [[4], []]);
    assert.deepEqual(checkpoint, {
      id: "/log",
      value: { at: 8, files: [] },
      sequence: 8,
      file: `the spool/${name}`,
    });
  });
});

Deno.test("save() keeps requests and a checkpoint together, and the checkpoint outlives the requests", async () => {
  await inDirectory(async (directory) => {
    const [one, two] = [pendingOf([1]), pendingOf([2])];
    const first = await open(directory);
    assert.equal(first.checkpoint, undefined);
    await first.store.save([one], checkpointAt(10));
    await first.store.save(
      [one, two].map((each) => ({ ...each, recordedAt: NOW + 1 })),
      checkpointAt(20),
    );
    first.close();

    const second = await open(directory);
    assert.deepEqual(counts(second.left), [1, 1, 2]);
    assert.deepEqual(second.left[2]?.request.body, two.request.body);
    assertCheckpoint(second, 20, 2);
    for (const name of new Set(second.left.map(({ stored }) => stored))) {
      assert.equal(await second.store.forget(name ?? ""), undefined);
    }
    second.close();

    const third = await open(directory);
    assert.deepEqual(third.left, []);
    assert.deepEqual(third.warnings, []);
    assert.deepEqual(third.checkpoint?.value, place(20));
    await third.store.save([{ ...one, recordedAt: NOW + 2 }], checkpointAt(30));
    third.close();
    const fourth = await open(directory);
    fourth.close();
    assertCheckpoint(fourth, 30, 3);
  });
});

/** Keeps a position in the directory, and nothing else. */
async function keepPosition(directory: string, offset: number): Promise<void> {
  const spool = await open(directory);
  await spool.beginAt(checkpointAt(offset).checkpoint);
  spool.close();
}

Deno.test("openSpool() refuses a position that cannot be read, and names its file", async (t) => {
  const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
    "it is something else": (file) => Deno.writeTextFile(file, "garbage"),
    "it is empty": (file) => Deno.writeTextFile(file, ""),
    "it is cut off": (file) => Deno.truncate(file, 100),
    "it is a directory": async (file) => {
      await Deno.remove(file);
      await Deno.mkdir(file);
    },
    "it is a request without a position": async (file) => {
      const directory = file.replace(/[^/]*$/, "");
      await Deno.remove(file);
      const spool = await open(directory);
      await Deno.rename(directory + await save(spool, pendingOf([1])), file);
      spool.close();
    },
  };
  for (const name of ["checkpoint", "place"]) {
    for (const [damage, make] of Object.entries(damages)) {
      await t.step(`${name}: ${damage}`, () =>
        inDirectory(async (directory) => {
          await keepPosition(directory, 10);
          await Deno.rename(`${directory}/checkpoint`, `${directory}/${name}`);
          await make(`${directory}/${name}`);
          const before = await files(directory);
          await assert.rejects(open(directory), (thrown) => {
            assert.ok(thrown instanceof UsageError);
            assert.ok(thrown.message.startsWith(`Cannot read "the spool/${name}", `));
            return true;
          });
          assert.deepEqual(await files(directory), before, "nothing is moved or removed");
        }));
    }
  }
});

Deno.test("openSpool() takes a position over from the file of version 2.0", async () => {
  await inDirectory(async (directory) => {
    await keepPosition(directory, 10);
    await Deno.rename(`${directory}/checkpoint`, `${directory}/place`);
    const spool = await open(directory);
    assertCheckpoint(spool, 10, 0);
    assert.deepEqual(spool.warnings, []);
    const { stored = "" } = await spool.store.save([pendingOf([1])], checkpointAt(20));
    assert.equal(await spool.store.forget(stored), undefined);
    spool.close();
    assert.deepEqual((await found(directory)).checkpoint?.value, place(20));
    const left = await files(directory);
    assert.ok(left.includes("checkpoint") && !left.includes("place"), String(left));
  });
});

Deno.test("openSpool() takes the newer of two positions", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const kept: Uint8Array[] = [];
    for (const offset of [10, 20]) {
      const { stored = "" } = await spool.store.save([pendingOf([1])], checkpointAt(offset));
      assert.equal(await spool.store.forget(stored), undefined);
      kept.push(await Deno.readFile(`${directory}/checkpoint`));
    }
    spool.close();
    const [older = new Uint8Array(), newer = new Uint8Array()] = kept;
    for (const [checkpoint, before] of [[older, newer], [newer, older]] as const) {
      await Deno.writeFile(`${directory}/checkpoint`, checkpoint);
      await Deno.writeFile(`${directory}/place`, before);
      assert.deepEqual((await found(directory)).checkpoint?.value, place(20));
    }
  });
});

Deno.test("forget() keeps a request whose place cannot be written", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const { stored = "" } = await spool.store.save([pendingOf([1])], checkpointAt(10));
    await Deno.mkdir(`${directory}/checkpoint.part`);
    await Deno.writeTextFile(`${directory}/checkpoint.part/in the way`, "");
    assert.match(
      await spool.store.forget(stored) ?? "",
      /the next start will send again what is in/,
    );
    spool.close();
    const next = await open(directory);
    next.close();
    assert.deepEqual(counts(next.left), [1]);
  });
});

Deno.test("markUnsent() does not mark a file of several requests, of which some may have arrived", async () => {
  await inDirectory(async (directory) => {
    const pending = pendingOf([1]);
    const spool = await open(directory);
    const { stored = "" } = await spool.store.save([pending, pending], checkpointAt(10));
    await spool.store.markUnsent(stored);
    spool.close();
    const next = await open(directory);
    next.close();
    assert.deepEqual(next.left.map(({ mayHaveArrived }) => mayHaveArrived), [true, true]);
  });
});

/** Runs `work` with a copy of a directory's files. */
async function copied(directory: string, work: (copy: string) => Promise<void>): Promise<void> {
  await inDirectory(async (copy) => {
    for (const name of await files(directory)) {
      await Deno.copyFile(`${directory}/${name}`, `${copy}/${name}`);
    }
    await work(copy);
  });
}

Deno.test("save() makes the directory again, and locks it, when it was removed", async () => {
  await inDirectory(async (parent) => {
    const directory = `${parent}/spool`;
    const spool = await open(directory);
    const lost = await save(spool, pendingOf([3]));
    await Deno.remove(directory, { recursive: true });
    assert.equal(await spool.store.holds(lost, pendingOf([3]).request), false);
    const kept = await save(spool, pendingOf([4]));
    assert.equal(await spool.store.holds(kept, pendingOf([4]).request), true);
    await assert.rejects(openSpool(directory, "the spool", CLOCK), UsageError);
    spool.close();
    assert.deepEqual(counts((await found(directory)).left), [4]);
  });
});

Deno.test("save() keeps out of a directory that was removed and made again by another process", async () => {
  await inDirectory(async (parent) => {
    const directory = `${parent}/spool`;
    const spool = await open(directory);
    await Deno.remove(directory, { recursive: true });
    const other = await open(directory);
    const { stored, warning } = await spool.store.save([pendingOf([3])]);
    assert.equal(stored, undefined);
    assert.match(warning ?? "", /another process uses it now/);
    assert.deepEqual(await files(directory), []);
    other.close();
    spool.close();
  });
});

Deno.test("holds() is false when the file is shorter than its request", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([3]));
    await Deno.truncate(`${directory}/${name}`, 20);
    assert.equal(await spool.store.holds(name, pendingOf([3]).request), false);
    spool.close();
  });
});

/** Does what `change` does and everything else as the system does, and tells what is done, with names without their folder. */
function watched(change: Partial<Files> = {}): { readonly files: Files; readonly done: string[] } {
  const done: string[] = [];
  const told = (what: string, path: string) => {
    done.push(`${what} ${path.split("/").at(-1)?.replace(/^[-\d]+[0-9a-f]+\.otlp/, "request")}`);
  };
  const files: Files = {
    ...systemFiles,
    ...change,
    async create(path) {
      told("create", path);
      const opened = await (change.create ?? systemFiles.create)(path);
      return {
        write: (bytes) => opened.write(bytes),
        close: () => opened.close(),
        sync() {
          told("sync", path);
          return opened.sync();
        },
      };
    },
    sync(path) {
      told("sync", path);
      return systemFiles.sync(path);
    },
    read(path) {
      told("read", path);
      return systemFiles.read(path);
    },
  };
  return { files, done };
}

Deno.test("save() syncs the file under its temporary name, then the directory", async () => {
  await inDirectory(async (parent) => {
    const directory = `${parent}/spool`;
    await Deno.mkdir(directory);
    const { files, done } = watched();
    const spool = await open(directory, files);
    await save(spool, pendingOf([3]));
    spool.close();
    assert.deepEqual(done, ["create request.part", "sync request.part", "sync spool"]);
  });
});

Deno.test("openSpool() syncs a request that its process may not have synced before it takes it", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([7]));
    spool.close();
    await Deno.rename(`${directory}/${name}`, `${directory}/${name}.part`);
    const { files, done } = watched();
    const next = await open(directory, files);
    next.close();
    assert.deepEqual(counts(next.left), [7]);
    assert.deepEqual(done, ["read request.part", "sync request.part"]);
  });
});

Deno.test("save() goes on writing when only a part was written at once", async () => {
  await inDirectory(async (directory) => {
    const { files } = watched({
      async create(path) {
        const opened = await systemFiles.create(path);
        return {
          write: (bytes) => opened.write(bytes.subarray(0, 7)),
          sync: () => opened.sync(),
          close: () => opened.close(),
        };
      },
    });
    const spool = await open(directory, files);
    await save(spool, pendingOf([3]));
    spool.close();
    assert.deepEqual((await found(directory)).left.map(({ request }) => request), [
      requestOf([3], 3),
    ]);
  });
});

Deno.test("openSpool() sets aside, unread, what is larger than any request", async () => {
  await inDirectory(async (directory) => {
    const spool = await open(directory);
    const name = await save(spool, pendingOf([3]));
    spool.close();
    const { files, done } = watched({
      size: (path) =>
        path.endsWith(".otlp") ? Promise.resolve(256 * 2 ** 20 + 1) : systemFiles.size(path),
    });
    const next = await open(directory, files);
    next.close();
    assert.deepEqual(next.left, []);
    assert.match(next.warnings[0] ?? "", /set aside/);
    assert.deepEqual(done, [], "it was not read");
    assert.ok((await Deno.stat(`${directory}/set-aside/${name}`)).isFile);
  });
});
