import assert from "node:assert/strict";
import { FieldWatch } from "../../../src/source/input/field_watch.ts";
import { JsonScanner } from "../../../src/source/input/json_scanner.ts";
import { NdjsonReader } from "../../../src/source/input/ndjson.ts";
import { WASM } from "../../../src/source/input/json_scanner_wasm.ts";
import { Sink } from "../../../src/source/input/sink.ts";
import { wasmScanner } from "../../../src/source/input/wasm_scanner.ts";
import { TimedField } from "../../../src/source/input/timed_field.ts";
import { assertSameFindings, fast, scanned } from "../../support/json_scanners.ts";

const encoder = new TextEncoder();

Deno.test("The scanner in WebAssembly finds what the plain one finds, in 10,000 random inputs", async () => {
  await assertSameFindings(10_000);
});

Deno.test("The scanner in WebAssembly takes many lines at a time, and lines of any length", () => {
  const names = ["status", "text"];
  const scanners = [new JsonScanner("value", names), fast("value", names)] as const;
  const line = (i: number, text: string) =>
    `{"value":${i / 8},"text":"${text}","status":${i % 7}}\n`;
  const text = [
    ...Array.from({ length: 10_000 }, (_, i) => i % 100 === 99 ? "no JSON\n" : line(i, "x")),
    ...[100_000, 1_000_000, 2 ** 20 - 40].map((length) => line(3, "y".repeat(length))),
    "\n".repeat(5000),
    line(4, "z"),
  ].join("");
  const bytes = encoder.encode(text);
  const [plain, wasm] = scanners.map((scanner) => scanned(scanner, names.length, bytes));
  assert.deepEqual(wasm, plain);
  assert.ok(scanners[1].scan(bytes, 0, bytes.length) > 1000);
});

Deno.test("The scanner in WebAssembly takes lines of many members, and names of any length", () => {
  const long = Array.from({ length: 90 }, (_, length) => "n".repeat(length));
  const names = ["last", ...long];
  const [plain, wasm] = [new JsonScanner("value", names), fast("value", names)];
  const member = (name: string) => `"${name}":"of ${name.length}"`;
  const lines = [
    // Longer names where shorter ones stood before, and the other way round.
    ...long.map((name) => `{"value":1,${member(name)},"last":true}`),
    ...long.toReversed().map((name) => `{${member(name)},"value":2,"last":[]}`),
    ...long.map((_, count) => `{${long.slice(0, count).map(member).join()},"value":3,"last":null}`),
    ...long.map((_, count) => `{"value":4,${long.slice(count).map(member).join()},"last":5}`),
  ];
  const bytes = encoder.encode(lines.map((line) => `${line}\n${line}\n`).join(""));
  assert.deepEqual(scanned(wasm, names.length, bytes), scanned(plain, names.length, bytes));
});

Deno.test("The scanner in WebAssembly takes what is in the middle of other bytes", () => {
  const [plain, wasm] = [new JsonScanner("value", ["a"]), fast("value", ["a"])];
  const lines = encoder.encode('{"a":"b","value":1e3}\n{"value":"2.5ms","a":true}\nno JSON\n');
  for (let before = 0; before < 40; before++) {
    const bytes = encoder.encode('"'.repeat(before + lines.length + 40));
    bytes.set(lines, before);
    const end = before + lines.length;
    const first = wasm.scan(bytes, before, end);
    assert.equal(first, 3);
    for (let at = before, i = 0; at < end; i++) {
      plain.scan(bytes, at);
      const feed = plain.feeds[0] ?? NaN;
      assert.equal(wasm.feeds[i], feed);
      at = (feed < 0 ? ~feed : feed) + 1;
      if (feed < 0) continue;
      assert.deepEqual(
        [wasm.values[i], wasm.restFrom[i], wasm.from[i], wasm.to[i]],
        [plain.values[0], plain.restFrom[0], plain.from[0], plain.to[0]],
      );
    }
  }
});

Deno.test("wasmScanner() throws when its module is broken, and does not read on more slowly", () => {
  const bytes = Uint8Array.fromBase64(WASM);
  const broken = {
    "cut off": bytes.slice(0, -10),
    "of another format": bytes.with(4, 2),
    "empty": new Uint8Array(),
    "without its exports": Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0),
  };
  for (const [what, wasm] of Object.entries(broken)) {
    assert.throws(() => wasmScanner("value", ["a"], wasm.toBase64()), Error, what);
  }
  assert.ok(wasmScanner("value", ["a"]) !== undefined);
});

Deno.test("NdjsonReader turns to WebAssembly when there is much to read, and not before", async () => {
  const sink = new Sink(() => {});
  const fields = { values: [{ field: "value" }], attrFields: undefined, scale: 1 };
  const reader = new NdjsonReader(fields, sink, new FieldWatch(undefined), new TimedField(false));
  const lines = encoder.encode('{"value":1.5,"attributes":{"a":"b"}}\n'.repeat(1000));
  const loading = () => import("../../../src/source/input/wasm_scanner.ts");
  reader.lines(lines, 0, lines.length);
  await loading();
  assert.equal(reader.usesWasm, false);
  reader.lines(lines, 0, lines.length);
  for (let turns = 0; turns < 100 && !reader.usesWasm; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(reader.usesWasm, true);
  reader.lines(lines, 0, lines.length);
  assert.equal(sink.measurements, 3000);
});

Deno.test("NdjsonReader reads on with the plain scanner where there is no WebAssembly", async () => {
  const program = `
import { FieldWatch } from "./src/source/input/field_watch.ts";
import { NdjsonReader } from "./src/source/input/ndjson.ts";
import { Sink } from "./src/source/input/sink.ts";
import { TimedField } from "./src/source/input/timed_field.ts";
const sink = new Sink(() => {});
const fields = { values: [{ field: "value" }], attrFields: undefined, scale: 1 };
const reader = new NdjsonReader(fields, sink, new FieldWatch(undefined), new TimedField(false));
await reader.loadWasm();
const line = new TextEncoder().encode('{"value":1}\\n');
reader.lines(line, 0, line.length);
console.log(reader.usesWasm, sink.measurements);
`;
  const ROOT = new URL("../../../", import.meta.url);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--frozen", "--quiet", "--v8-flags=--jitless", program],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout), "false 1\n", decoder.decode(stderr));
});
