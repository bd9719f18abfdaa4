import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import type { Spool } from "../../../src/delivery/spool/spool.ts";
import { inDirectory } from "../../support/directory.ts";
import { counts, files, found, NOW, open, pendingOf, save } from "../../support/spool_world.ts";

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
