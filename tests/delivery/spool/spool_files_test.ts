import assert from "node:assert/strict";
import { type Files, systemFiles } from "../../../src/delivery/spool/files.ts";
import { inDirectory } from "../../support/directory.ts";
import { requestOf } from "../../support/simulation.ts";
import { counts, found, open, pendingOf, save } from "../../support/spool_world.ts";

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
