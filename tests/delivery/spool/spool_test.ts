import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import { openSpool } from "../../../src/delivery/spool/spool.ts";
import { inDirectory } from "../../support/directory.ts";
import { requestOf } from "../../support/simulation.ts";
import {
  CLOCK,
  counts,
  files,
  found,
  NOW,
  open,
  pendingOf,
  save,
} from "../../support/spool_world.ts";

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
    assert.match(warnings[0] ?? "", /and 2 more in the spool "the spool": not spool files/);
    assert.ok(!warnings[0]?.includes("\x1b"), "what a name holds is made harmless");
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
