import assert from "node:assert/strict";
import { Sink } from "../../../src/source/input/sink.ts";
import { WrappedLineReader, wrappingOf } from "../../../src/source/input/wrapped_lines.ts";
import { bytesOf, type Options, patternOf, pieces, readChunks, readText } from "./reading.ts";

const named = (...names: readonly string[]) => names.map((name) => ({ name, key: name }));

const docker = (log: string, stream = "stdout") =>
  JSON.stringify({ log, stream, time: "2026-01-31T12:00:05.123456789Z" });
const cri = (text: string, tag = "F", stream = "stdout") =>
  `2026-01-31T12:00:05.123456789Z ${stream} ${tag} ${text}`;
const compose = (text: string, container = "web-1") => `${container}  | ${text}`;
const kubectl = (text: string) => `2026-01-31T13:00:05.123456789+01:00 ${text}`;
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
  "kubectl logs --timestamps": kubectl,
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
  assert.deepEqual(read.invalid, [[5, 'no field "value"']]);
  const criLines = [
    cri('{"value":1', "P"),
    cri("value", "F", "stderr"),
    cri('2,"s":"o"}'),
    cri('{"value":3}'),
  ];
  const other = await readText(criLines.join("\n"), options);
  assert.deepEqual(other.measurements, [[12, { s: "o" }], [3, {}]]);
});

Deno.test("readInput() reads a container's last line, though it has no end", async () => {
  const lines = [docker('{"value":1'), docker("0}\n"), docker("value=2\n"), docker('{"value":3}')];
  const { measurements, invalid } = await readText(lines.join("\n"));
  assert.deepEqual(measurements.map(([value]) => value), [10, 2, 3]);
  assert.deepEqual(invalid, []);
  const cut = await readText([cri("value=1"), cri('{"value":', "P")].join("\n"));
  assert.deepEqual(cut.measurements, [[1, {}]]);
  assert.deepEqual(cut.invalid, [[2, "not JSON"]]);
});

Deno.test("WrappedLineReader holds the parts of a line, so that a restart reads them again", () => {
  const [whole, part] = [`${cri("value=1")}\n`, `${cri('{"value":1', "P")}\n`];
  const other = `${cri("value=2", "F", "stderr")}\n`;
  const sink = new Sink(() => {});
  const wrapping = wrappingOf(whole.trim(), "auto");
  assert.ok(wrapping);
  const reader = new WrappedLineReader(wrapping, {
    format: "auto",
    unwrap: undefined,
    sink,
    readerOf: () => ({ lines() {}, tooLong() {}, end() {} }),
    objectsOf: () => undefined,
  });
  const heldAfter = (text: string) => {
    const bytes = bytesOf(text);
    reader.lines(bytes, 0, bytes.length);
    return reader.held;
  };
  assert.equal(heldAfter(whole), 0);
  assert.equal(heldAfter(whole + part), part.length);
  assert.equal(heldAfter(part + part), 3 * part.length);
  assert.equal(heldAfter(other), 0);
  assert.equal(heldAfter(part), part.length);
  assert.equal(heldAfter(`${cri("}")}\n`), 0);
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

Deno.test("readInput() reaches the outer fields of access logs and numbers", async () => {
  const access = (end: string) =>
    `::1 - bob [31/Jan/2026:12:00:05 +0000] "GET /a HTTP/1.1" 200 - "-" "a \\"b\\"" ${end}`;
  const lines = ["0.5", "0.25, 0.5", "5 7", "12ms"].map(access);
  const noUnit: string[] = [];
  const read = await readText(
    [...lines, "[error] no"].map((line) => compose(line, "web-2")).join("\n"),
    {
      attrFields: named("container", "path", "user", "bytes", "agent"),
      unit: "ms",
      scale: 1000,
      onNoUnit: () => noUnit.push("once"),
    },
  );
  const attributes = { container: "web-2", path: "/a", user: "bob", bytes: "0", agent: 'a "b"' };
  assert.deepEqual(read.measurements, [500, 750, 12].map((value) => [value, attributes]));
  assert.deepEqual(read.invalid.map(([line]) => line), [3, 5]);
  assert.match(read.invalid[0]?.[1] ?? "", /^"request_time" is not a number: "several numbers/);
  assert.deepEqual(noUnit, ["once"]);
  const numbers = [cri("5"), cri("# comment"), cri("7 ms", "F", "stderr"), cri("x")];
  const timed = await readChunks([bytesOf(numbers.join("\n"))], {
    attrFields: named("stream"),
    timeField: "time",
    unit: "ms",
  });
  assert.deepEqual(timed.measurements, [[5, { stream: "stdout" }], [7, { stream: "stderr" }]]);
  assert.equal(Math.floor(timed.times[1] ?? NaN), 1_769_860_805_123);
  await assert.rejects(readText(compose(access("5")), { attrFields: named("pod") }), {
    message: /^The input is a combined log, which has no field "pod"/,
  });
  const combined: Options = { format: "combined", attrFields: named("stream") };
  assert.deepEqual((await readText(cri(access("5")), combined)).measurements, [
    [5, { stream: "stdout" }],
  ]);
});

Deno.test("readInput() reads journald's messages that are lists of bytes, without colours", async () => {
  const message = (text: string) => journald([...bytesOf(text)]);
  const lines = [message("value=5 \x1b[36mpath\x1b[0m=/ä"), journald([1, 256]), journald(null)];
  const options = { attrFields: named("path", "_SYSTEMD_UNIT") };
  const { measurements, invalid } = await readText(lines.join("\n"), options);
  assert.deepEqual(measurements, [[5, { path: "/ä", _SYSTEMD_UNIT: "web.service" }]]);
  assert.deepEqual(invalid, [[2, 'no field "value"'], [3, 'no field "value"']]);
});

Deno.test("readInput() reads access logs and patterns inside journald's messages", async () => {
  const access = '::1 - - [31/Jan/2026:12:00:05 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" 0.5';
  const started = journald("Started nginx.");
  const path = { attrFields: named("path") };
  const auto = await readText(`${journald(access)}\n${started}\n${journald(null)}\n`, path);
  assert.deepEqual(auto.measurements, [[0.5, { path: "/a" }]]);
  assert.deepEqual(auto.invalid.map(([line]) => line), [2, 3]);
  const combined: Options = { ...path, format: "combined" };
  assert.deepEqual((await readText(`${started}\n${journald(access)}\n`, combined)).measurements, [
    [0.5, { path: "/a" }],
  ]);
  const pattern = await readText(`${started}\n${journald("GET took 7")}\n`, {
    format: "pattern",
    pattern: patternOf("^(?<method>\\S+) took (?<value>\\d+)$"),
    attrFields: named("method", "_SYSTEMD_UNIT"),
  });
  assert.deepEqual(pattern.measurements, [[7, { method: "GET", _SYSTEMD_UNIT: "web.service" }]]);
});

Deno.test("readInput() removes colours that are escaped in docker's JSON", async () => {
  const { measurements } = await readText(docker("\x1b[32mGET\x1b[0m took \x1b[1m5\x1b[0m\n"), {
    format: "pattern",
    pattern: patternOf("^(?<method>\\S+) took (?<value>\\d+)$"),
    attrFields: named("method"),
  });
  assert.deepEqual(measurements, [[5, { method: "GET" }]]);
  const unwrapped = '{"msg":"\\u001b[36mvalue\\u001b[0m=6"}';
  assert.deepEqual((await readText(unwrapped, { unwrap: "msg" })).measurements, [[6, {}]]);
});

Deno.test("readInput() reads compose's lines of a container with a name of its own", async () => {
  const lines = ['app  | {"value":3}', "app  | listening", "web.1.x8d9@node-1  | value=4"];
  const { measurements, invalid } = await readText(lines.join("\n"), {
    attrFields: named("container"),
  });
  assert.deepEqual(measurements, [[3, { container: "app" }], [4, {
    container: "web.1.x8d9@node-1",
  }]]);
  assert.deepEqual(invalid, [[2, 'no field "value"']]);
  const pattern = patternOf("^(?<level>\\w+) \\| took=(?<value>\\d+)");
  const own = await readText("INFO | took=5", { format: "pattern", pattern });
  assert.deepEqual(own.measurements, [[5, {}]]);
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
    [1, "free text in a container log: set --pattern to find its fields"],
    [3, 'no field "value"'],
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
    [1, 'no field "value"'],
  ]);
  await assert.rejects(readText("value,msg\n1,2\n", { unwrap: "msg" }), {
    name: "UsageError",
    message: /^--unwrap reads a JSON field, but the input is csv: /,
  });
});

Deno.test("readInput() reads what kubectl logs --prefix prints, with the times of --timestamps", async () => {
  const lines = [
    '[pod/web-1/app] 2026-01-31T12:00:00.5Z {"value":5}',
    "[pod/web-2/proxy] value=6",
    "[pod/web-2/proxy] started",
    "",
  ].join("\n");
  const { measurements, invalid } = await readText(lines, {
    format: "auto",
    attrFields: ["pod", "container", "time"].map((name) => ({ name, key: name })),
  });
  assert.deepEqual(measurements, [
    [5, { pod: "web-1", container: "app", time: "2026-01-31T12:00:00.5Z" }],
    [6, { pod: "web-2", container: "proxy" }],
  ]);
  assert.equal(invalid.length, 1);
});

Deno.test("readInput() counts a line of kubectl logs --timestamps at the time in front of it", async () => {
  const text = `${kubectl('{"value":5}')}\n\n${kubectl("free text")}\n`;
  const { input, measurements, times, invalid } = await readChunks([bytesOf(text)], {
    timeField: "time",
  });
  assert.deepEqual(measurements.map(([value]) => value), [5]);
  assert.deepEqual(times.map((time) => Math.floor(time ?? NaN)), [
    Date.parse("2026-01-31T12:00:05.123Z"),
  ]);
  assert.deepEqual([invalid.length, input.progress.lines], [1, 3]);
});

Deno.test("readInput() leaves the time in front of free text to a pattern", async () => {
  const { measurements } = await readText(`${kubectl("path=/a took 5 ms")}\n`, {
    format: "pattern",
    pattern: patternOf("^(?<at>\\S+) path=(?<path>\\S+) took (?<value>\\d+)"),
    attrFields: named("at"),
  });
  assert.deepEqual(measurements, [[5, { at: "2026-01-31T13:00:05.123456789+01:00" }]]);
});
