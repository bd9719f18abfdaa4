import assert from "node:assert/strict";
import { bytesOf, type Options, patternOf, pieces, readChunks, readText } from "./reading.ts";

const named = (...names: readonly string[]) => names.map((name) => ({ name, key: name }));

const docker = (log: string, stream = "stdout") =>
  JSON.stringify({ log, stream, time: "2026-01-31T12:00:05.123456789Z" });
const cri = (text: string, tag = "F", stream = "stdout") =>
  `2026-01-31T12:00:05.123456789Z ${stream} ${tag} ${text}`;
const compose = (text: string, container = "web-1") => `${container}  | ${text}`;
const journald = (message: unknown) =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: "1769860805123456",
    _SYSTEMD_UNIT: "web.service",
    PRIORITY: "6",
    MESSAGE: message,
  });

const wrappings = {
  docker: (text: string) => docker(`${text}\n`),
  CRI: (text: string) => cri(text),
  compose: (text: string) => compose(text),
  journald,
} as const;
const inners = {
  NDJSON: (value: number) => `{"value":${value},"path":"/a","http":{"status":200}}`,
  logfmt: (value: number) => `level=info value=${value} path="/a" http.status=200`,
} as const;

for (const [wrapping, wrap] of Object.entries(wrappings)) {
  for (const [format, inner] of Object.entries(inners)) {
    Deno.test(`readInput() reads ${format} inside ${wrapping}, cut anywhere`, async () => {
      const text = [5, 7, 9].map((value) => `${wrap(inner(value))}\n`).join("\n");
      for (const size of [text.length, 11, 1]) {
        const { measurements, invalid } = await readChunks(pieces(bytesOf(text), size), {
          attrFields: named("path", "http.status"),
        });
        const status = format === "NDJSON" ? 200 : "200";
        const attributes = { path: "/a", "http.status": status };
        assert.deepEqual(measurements, [5, 7, 9].map((value) => [value, attributes]));
        assert.deepEqual(invalid, []);
      }
    });
  }
}

Deno.test("readInput() lets inner fields win, and reaches the outer ones", async () => {
  const read = async (line: string, timeField: string, ...names: readonly string[]) => {
    const { measurements, times } = await readChunks([bytesOf(`${line}\n`)], {
      attrFields: named(...names),
      timeField,
    });
    return [measurements[0]?.[1], times[0]];
  };
  const own = '{"value":1,"time":"2026-01-30T00:00:00Z","stream":"mine"}';
  const outside = Math.floor(1_769_860_805_123.456);
  const [day] = [Date.UTC(2026, 0, 30)];
  assert.deepEqual(await read(docker(`${own}\n`), "time", "stream"), [{ stream: "mine" }, day]);
  assert.deepEqual(await read(cri(own), "time", "stream"), [{ stream: "mine" }, day]);
  const [attributes, time] = await read(docker('{"value":1}\n', "stderr"), "time", "stream");
  assert.deepEqual([attributes, Math.floor(Number(time))], [{ stream: "stderr" }, outside]);
  const [criAttributes, criTime] = await read(cri("value=1", "F", "stderr"), "time", "stream");
  assert.deepEqual([criAttributes, Math.floor(Number(criTime))], [{ stream: "stderr" }, outside]);
  assert.deepEqual(
    await read(compose(`2026-01-30T00:00:00Z value=1`), "time", "container"),
    [{ container: "web-1" }, day],
  );
  const [unit, instant] = await read(
    journald('{"value":1}'),
    "__REALTIME_TIMESTAMP",
    "_SYSTEMD_UNIT",
  );
  assert.deepEqual([unit, Math.floor(Number(instant))], [
    { _SYSTEMD_UNIT: "web.service" },
    outside,
  ]);
});

Deno.test("readInput() joins the parts of lines that a runtime has cut, each stream by itself", async () => {
  const options: Options = { attrFields: named("s") };
  const dockerLines = [
    docker('{"value":1'),
    docker('{"value":4,"s":"e', "stderr"),
    docker('2,"s":"o"}\n'),
    docker('rr"}\n', "stderr"),
    docker("nothing\n"),
  ];
  const read = await readText(dockerLines.join("\n"), options);
  assert.deepEqual(read.measurements, [[12, { s: "o" }], [4, { s: "err" }]]);
  assert.deepEqual(read.invalid, [[5, 'no "value"']]);
  const criLines = [
    cri('{"value":1', "P"),
    cri("value", "F", "stderr"),
    cri('2,"s":"o"}'),
    cri('{"value":3}'),
  ];
  const other = await readText(criLines.join("\n"), options);
  assert.deepEqual(other.measurements, [[12, { s: "o" }], [3, {}]]);
});

Deno.test("readInput() reads access logs, numbers and patterns inside container logs", async () => {
  const access = '::1 - - [31/Jan/2026:12:00:05 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" 0.5';
  for (const wrap of [wrappings.docker, wrappings.CRI, wrappings.compose]) {
    assert.deepEqual(
      (await readText(`${wrap(access)}\n${wrap(access)}\n`, { attrFields: named("path") }))
        .measurements,
      [[0.5, { path: "/a" }], [0.5, { path: "/a" }]],
    );
    assert.deepEqual(
      (await readText(`${wrap("5")}\n${wrap("7 ms")}\n`, { unit: "ms" })).measurements,
      [
        [5, {}],
        [7, {}],
      ],
    );
    assert.deepEqual(
      (await readText(`${wrap('say "took" 5')}\n`, {
        format: "pattern",
        pattern: patternOf('^say "took" (?<value>\\d+)$'),
      })).measurements,
      [[5, {}]],
    );
  }
});

Deno.test("readInput() reaches the outer fields of lines that a pattern matches", async () => {
  const lines = [cri("GET took 5", "F", "stderr"), cri("nothing"), cri("POST took 7")];
  const { measurements, times, input } = await readChunks([bytesOf(lines.join("\n"))], {
    format: "pattern",
    pattern: patternOf("^(?<method>\\S+) took (?<value>\\d+)$"),
    attrFields: named("method", "stream"),
    timeField: "time",
  });
  assert.deepEqual(measurements, [
    [5, { method: "GET", stream: "stderr" }],
    [7, { method: "POST", stream: "stdout" }],
  ]);
  assert.equal(Math.floor(times[0] ?? NaN), 1_769_860_805_123);
  assert.equal(input.progress.skipped, 1);
  await assert.rejects(
    readText(`${docker("5\n")}\n`, {
      format: "pattern",
      pattern: patternOf("(?<value>\\d+)"),
      attrFields: named("pod"),
    }),
    { message: /has no field "pod", .* it has "value", "log", "stream", "time"$/ },
  );
});

Deno.test("readInput() says that free text in front of a container's lines is not used", async () => {
  const { measurements, invalid } = await readText(
    [cri("Starting up, please wait"), cri('{"value":5}'), cri("done")].join("\n"),
  );
  assert.deepEqual(measurements, [[5, {}]]);
  assert.deepEqual(invalid, [
    [1, "free text in a container's log: find its fields with --pattern"],
    [3, 'no "value"'],
  ]);
});

Deno.test("readInput() measures a field of journald itself, and takes messages that are no text", async () => {
  const { measurements } = await readText(
    `${journald([104, 105])}\n${journald("Consumed 5s CPU time, and more")}\n`,
    { valueField: "PRIORITY" },
  );
  assert.deepEqual(measurements, [[6, {}], [6, {}]]);
});

Deno.test("readInput() unwraps the field that is named, inside container logs too", async () => {
  const line = '{"time":"x","msg":"value=5 path=/a","data":{"body":"{\\"value\\":7}"}}';
  const options = { attrFields: named("path", "time") };
  assert.deepEqual((await readText(line, { ...options, unwrap: "msg" })).measurements, [
    [5, { path: "/a", time: "x" }],
  ]);
  assert.deepEqual((await readText(line, { ...options, unwrap: "data.body" })).measurements, [
    [7, { time: "x" }],
  ]);
  assert.deepEqual((await readText(cri(line), { ...options, unwrap: "msg" })).measurements, [
    [5, { path: "/a", time: "x" }],
  ]);
  assert.deepEqual((await readText('{"msg":"free text"}', { unwrap: "msg" })).invalid, [
    [1, 'no "value"'],
  ]);
  await assert.rejects(readText("value,msg\n1,2\n", { unwrap: "msg" }), {
    name: "UsageError",
    message: /^--unwrap reads a field of JSON, and the input is csv: /,
  });
});
