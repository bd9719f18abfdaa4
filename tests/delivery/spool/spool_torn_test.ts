import assert from "node:assert/strict";
import fc from "fast-check";
import { inDirectory } from "../../support/directory.ts";
import { counts, files, found, NOW, open, pendingOf, save } from "../../support/spool_world.ts";

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
        /is torn or not a spool file: not sent, set aside in set-aside\//,
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

/** Runs `work` with a copy of a directory's files. */
async function copied(directory: string, work: (copy: string) => Promise<void>): Promise<void> {
  await inDirectory(async (copy) => {
    for (const name of await files(directory)) {
      await Deno.copyFile(`${directory}/${name}`, `${copy}/${name}`);
    }
    await work(copy);
  });
}
