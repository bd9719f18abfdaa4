import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { UsageError } from "../../../src/platform/errors.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { toJsonRequest } from "../../../src/otlp/json_request.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { SaveFile } from "../../../src/commands/receive/save_file.ts";

function event(name: string, change: Partial<RequestEvent> = {}): RequestEvent {
  return {
    time: 0,
    method: "POST",
    path: "/v1/metrics",
    status: 200,
    outcome: "accepted",
    points: 1,
    measurements: 0,
    rejectedPoints: 0,
    bytes: 10,
    problems: [],
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
  };
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

Deno.test("SaveFile.add() appends accepted requests as lines of OTLP/JSON", async () => {
  await using temporary = await folder();
  const path = `${temporary.path}/saved.jsonl`;
  await Deno.writeTextFile(path, "cut off");
  const file = SaveFile.openForAppend({ path, mostBytes: 1e6 }, noComplaint);
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
  const file = SaveFile.openForAppend({ path, mostBytes }, noComplaint);
  for (let i = 0; i < 8; i++) file.add(event(`m${i}`), toJsonRequest);
  file.close();
  assert.equal(await temporary.read("saved.1"), line("m3") + line("m4") + line("m5"));
  assert.equal(await temporary.read("saved"), line("m6") + line("m7"));
});

Deno.test("SaveFile.add() says once that a request is too long, and counts each", async () => {
  await using temporary = await folder();
  const said: string[] = [];
  const path = `${temporary.path}/saved`;
  const file = SaveFile.openForAppend({ path, mostBytes: 20 }, (it) => said.push(it));
  file.add(event("a"), toJsonRequest);
  file.add(event("b"), toJsonRequest);
  file.close();
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /a request was not saved: a request is longer/);
  assert.equal(file.unsaved, 2);
});

Deno.test("SaveFile.open() throws a UsageError for what cannot be written", async () => {
  await using temporary = await folder();
  const options = { path: `${temporary.path}/none/saved`, mostBytes: 1e6 };
  assert.throws(() => SaveFile.openForAppend(options, noComplaint), (thrown) => {
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
  const file = SaveFile.openForAppend({ path, mostBytes }, (message) => complaints.push(message));
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
