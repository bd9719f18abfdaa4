import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../../src/platform/clock.ts";
import { UsageError } from "../../../src/platform/errors.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { toJsonRequest } from "../../../src/otlp/json_request.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { atLeastOne } from "../../support/cases.ts";
import { SaveFile, type SaveWorld } from "../../../src/commands/receive/save_file.ts";
import { eventOf } from "./serving.ts";

function event(name: string, change: Partial<RequestEvent> = {}): RequestEvent {
  return eventOf({
    request: create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        scopeMetrics: [{
          metrics: [{
            name,
            data: {
              case: "gauge",
              value: { dataPoints: [{ timeUnixNano: 5n, value: { case: "asInt", value: 7n } }] },
            },
          }],
        }],
      }],
    }),
    ...change,
  });
}

const line = (name: string) =>
  `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"${name}","gauge":{"dataPoints":` +
  `[{"timeUnixNano":"5","asInt":"7"}]}}]}]}]}\n`;

interface Folder extends AsyncDisposable {
  readonly path: string;
  read(name: string): Promise<string>;
}

async function folder(): Promise<Folder> {
  const path = await Deno.makeTempDir();
  return {
    path,
    read: (name) => Deno.readTextFile(`${path}/${name}`),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function noComplaint(message: string): void {
  assert.fail(message);
}

/** Surroundings that expect no message of a kind that `change` does not take. */
function world(change: Partial<SaveWorld> = {}): SaveWorld {
  return { clock: systemClock, warn: noComplaint, note: noComplaint, ...change };
}

Deno.test("SaveFile.add() appends accepted requests as lines of OTLP/JSON", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/saved.jsonl`;
  await Deno.writeTextFile(path, "cut off");
  const file = await SaveFile.openForAppend({ path, mostBytes: 1e6 }, world());
  file.add(event("a"), toJsonRequest);
  file.add(event("b", { outcome: "rejected", status: 400 }), toJsonRequest);
  file.add(event("c", { outcome: "partial" }), toJsonRequest);
  // In the file before it is closed.
  assert.equal(await temporary.read("saved.jsonl"), `cut off\n${line("a")}${line("c")}`);
  file.close();
  assert.equal(file.unsaved, 0);
});

Deno.test("SaveFile.add() lets a second file take turns, and keeps both within the bound", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/saved`;
  const mostBytes = 6 * line("m0").length;
  const file = await SaveFile.openForAppend({ path, mostBytes }, world());
  for (let i = 0; i < 8; i++) file.add(event(`m${i}`), toJsonRequest);
  file.close();
  assert.equal(await temporary.read("saved.1"), line("m3") + line("m4") + line("m5"));
  assert.equal(await temporary.read("saved"), line("m6") + line("m7"));
});

Deno.test("SaveFile.add() says once that a request is too long, and counts each", async () => {
  await using temporary = await folder();
  const said: string[] = [];
  const path = `${temporary.path}/saved`;
  const file = await SaveFile.openForAppend(
    { path, mostBytes: 20 },
    world({ warn: (it) => said.push(it) }),
  );
  file.add(event("a"), toJsonRequest);
  file.add(event("b"), toJsonRequest);
  file.close();
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /a request was not saved: a request is longer/);
  assert.equal(file.unsaved, 2);
});

Deno.test("SaveFile.openForAppend() throws a UsageError for what cannot be written", async () => {
  await using temporary = await folder();
  const options = { path: `${temporary.path}/none/saved`, mostBytes: 1e6 };
  await assert.rejects(SaveFile.openForAppend(options, world()), (thrown) => {
    assert.ok(thrown instanceof UsageError);
    assert.match(thrown.message, /^--save ".*none\/saved" cannot be written: /);
    return true;
  });
});

Deno.test("SaveFile.add() goes on in the same file when a new one cannot be opened for want of descriptors", async () => {
  await using directory = await folder();
  const path = `${directory.path}/saved`;
  const complaints: string[] = [];
  // Half of it holds one line.
  const mostBytes = 2 * line("a").length + 1;
  const file = await SaveFile.openForAppend(
    { path, mostBytes },
    world({ warn: (message) => complaints.push(message) }),
  );
  file.add(event("a"), toJsonRequest);
  const { openSync } = Deno;
  try {
    Deno.openSync = () => {
      throw new Error("Too many open files (os error 24): open 'saved'");
    };
    file.add(event("b"), toJsonRequest);
  } finally {
    Deno.openSync = openSync;
  }
  assert.equal(file.unsaved, 1);
  assert.equal(await directory.read("saved"), line("a"));
  file.add(event("c"), toJsonRequest);
  file.close();
  assert.equal(await directory.read("saved.1"), line("a"));
  assert.equal(await directory.read("saved"), line("c"));
  assert.deepEqual(complaints, [
    `--save "${path}": a request was not saved: Too many open files (ulimit -n): open 'saved'`,
  ]);
});

const RENAMED = /^--save ".*saved" was renamed or removed: requests are saved in a new file/;

/** Changes what is at `path`, as people and logrotate do, and what is in the folder after one more request. */
const CHANGES: readonly {
  readonly name: string;
  readonly change: (path: string) => Promise<void>;
  readonly files: Readonly<Record<string, string>>;
  readonly messages: readonly RegExp[];
}[] = [
  {
    name: "renamed (logrotate's nocreate)",
    change: (path) => Deno.rename(path, `${path}-2`),
    files: { "saved-2": line("a"), "saved": line("b") },
    messages: [RENAMED],
  },
  {
    name: "renamed and replaced (logrotate's create)",
    async change(path) {
      await Deno.rename(path, `${path}-2`);
      await Deno.writeTextFile(path, "");
    },
    files: { "saved-2": line("a"), "saved": line("b") },
    messages: [RENAMED],
  },
  {
    name: "copied and truncated (logrotate's copytruncate)",
    async change(path) {
      await Deno.copyFile(path, `${path}-2`);
      await Deno.truncate(path);
    },
    files: { "saved-2": line("a"), "saved": line("b") },
    messages: [/ was truncated: requests saved while another program copied it can be lost\. /],
  },
  {
    name: "removed",
    change: (path) => Deno.remove(path),
    files: { "saved": line("b") },
    messages: [RENAMED],
  },
  {
    name: "written to by somebody who was cut off",
    change: (path) => Deno.writeTextFile(path, "half", { append: true }),
    files: { "saved": `${line("a")}half\n${line("b")}` },
    messages: [],
  },
];

for (const { name, change, files, messages } of atLeastOne(CHANGES)) {
  Deno.test(`SaveFile.add() saves in the file of the name when the one before was ${name}`, async () => {
    await using directory = await folder();
    const path = `${directory.path}/saved`;
    const said: string[] = [];
    const file = await SaveFile.openForAppend(
      { path, mostBytes: 1e6 },
      world({ note: (message) => said.push(message), warn: (message) => said.push(message) }),
    );
    file.add(event("a"), toJsonRequest);
    await change(path);
    file.add(event("b"), toJsonRequest);
    file.close();
    const found: Record<string, string> = {};
    for await (const entry of Deno.readDir(directory.path)) {
      found[entry.name] = await directory.read(entry.name);
    }
    assert.deepEqual(found, files);
    assert.equal(file.unsaved, 0);
    assert.equal(said.length, messages.length);
    for (const [i, message] of messages.entries()) assert.match(said[i] ?? "", message);
  });
}

Deno.test("SaveFile.add() writes a line again whose file was removed at that moment", async () => {
  await using directory = await folder();
  const path = `${directory.path}/saved`;
  const notes: string[] = [];
  const file = await SaveFile.openForAppend(
    { path, mostBytes: 1e6 },
    world({ note: (message) => notes.push(message) }),
  );
  const { writeSync } = Deno.FsFile.prototype;
  try {
    Deno.FsFile.prototype.writeSync = function (bytes) {
      Deno.FsFile.prototype.writeSync = writeSync;
      Deno.removeSync(path);
      return this.writeSync(bytes);
    };
    file.add(event("a"), toJsonRequest);
  } finally {
    Deno.FsFile.prototype.writeSync = writeSync;
  }
  file.close();
  assert.equal(await directory.read("saved"), line("a"));
  assert.equal(file.unsaved, 0);
  assert.equal(notes.length, 1);
});

Deno.test("SaveFile.add() counts what cannot be saved when the directory is gone, and continues when it is back", async () => {
  await using directory = await folder();
  const inner = `${directory.path}/inner`;
  const path = `${inner}/saved`;
  await Deno.mkdir(inner);
  const said: string[] = [];
  const file = await SaveFile.openForAppend(
    { path, mostBytes: 1e6 },
    world({ warn: (message) => said.push(message), note() {} }),
  );
  await Deno.remove(inner, { recursive: true });
  file.add(event("a"), toJsonRequest);
  file.add(event("b"), toJsonRequest);
  assert.equal(file.unsaved, 2);
  await Deno.mkdir(inner);
  file.add(event("c"), toJsonRequest);
  file.close();
  assert.equal(await directory.read("inner/saved"), line("c"));
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /a request was not saved: No such file or directory/);
});

Deno.test("SaveFile.add() leaves what was saved when a write stops halfway, also what others wrote", async () => {
  await using directory = await folder();
  const path = `${directory.path}/saved`;
  const said: string[] = [];
  const file = await SaveFile.openForAppend(
    { path, mostBytes: 1e6 },
    world({ warn: (message) => said.push(message) }),
  );
  file.add(event("a"), toJsonRequest);
  const { writeSync } = Deno.FsFile.prototype;
  const failHalfway = (meanwhile: () => void) => {
    Deno.FsFile.prototype.writeSync = function (bytes) {
      const written = writeSync.call(this, bytes.subarray(0, 9));
      Deno.FsFile.prototype.writeSync = () => {
        throw new Error("No space left on device");
      };
      meanwhile();
      return written;
    };
    try {
      file.add(event("b"), toJsonRequest);
    } finally {
      Deno.FsFile.prototype.writeSync = writeSync;
    }
  };
  failHalfway(() => {});
  assert.equal(await directory.read("saved"), line("a"));
  failHalfway(() => Deno.writeTextFileSync(path, `\n${line("other")}`, { append: true }));
  file.add(event("c"), toJsonRequest);
  file.close();
  const half = line("b").slice(0, 9);
  assert.equal(
    await directory.read("saved"),
    `${line("a")}${half}\n${line("other")}${line("c")}`,
  );
  assert.equal(file.unsaved, 2);
  assert.equal(said.length, 1);
});

Deno.test({
  name:
    "SaveFile.openForAppend() throws a UsageError when another one has the file, until it is closed",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await folder();
    const options = { path: `${directory.path}/saved`, mostBytes: 1e6 };
    const first = await SaveFile.openForAppend(options, world());
    first.add(event("a"), toJsonRequest);
    await assert.rejects(
      SaveFile.openForAppend(options, world()),
      (thrown) =>
        thrown instanceof UsageError &&
        /^--save ".*saved" is in use: another process saves to it\. Choose another file, or/.test(
          thrown.message,
        ),
    );
    first.close();
    const second = await SaveFile.openForAppend(options, world());
    second.add(event("b"), toJsonRequest);
    second.close();
    assert.equal(await directory.read("saved"), line("a") + line("b"));
  },
});
