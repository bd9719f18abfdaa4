import assert from "node:assert/strict";
import { parse as parseCsv } from "csv-parse/sync";
import fc from "fast-check";
import { bytesOf, type Options, pieces, readChunks } from "./reading.ts";

// A reader that is as plain as possible and the real one agree about an input, wherever it is cut.

const RUNS = { seed: 20_261_123, numRuns: 400 } as const;

type Told = readonly (readonly [value: number, attributes: unknown] | "invalid" | "blank")[];

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function plainValue(raw: unknown, scale: number): number | undefined {
  if (typeof raw === "string") {
    return DECIMAL.test(raw.trim()) ? plainValue(Number(raw), scale) : undefined;
  }
  if (typeof raw !== "number" || !(raw * scale >= 0) || raw * scale === Infinity) return undefined;
  return raw * scale + 0;
}

function plainLines(text: string): readonly string[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function plainAttributes(source: unknown): [string, unknown][] {
  return Object.entries(source ?? {}).filter(([key, v]) =>
    key !== "" && v !== null && v !== undefined
  )
    .map(([key, v]) => [key, typeof v === "object" ? JSON.stringify(v) : v]);
}

function plainNdjson(text: string, { valueField = "value", attrFields, scale = 1 }: Options): Told {
  return plainLines(text).map((line) => {
    if (line.trim() === "") return "blank";
    try {
      const parsed = JSON.parse(line);
      if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return "invalid";
      const value = plainValue(parsed[valueField], scale);
      const source = attrFields === undefined
        ? parsed.attributes ?? {}
        : Object.fromEntries(attrFields.map(({ name, key }) => [key, parsed[name]]));
      if (value === undefined || typeof source !== "object" || Array.isArray(source)) {
        return "invalid";
      }
      return [value, Object.fromEntries(plainAttributes(source))];
    } catch {
      return "invalid";
    }
  });
}

function plainText(text: string, { scale = 1 }: Options): Told {
  return plainLines(text).map((line) => {
    if (line.trim() === "") return "blank";
    const value = plainValue(line, scale);
    return value === undefined ? "invalid" : [value, {}];
  });
}

async function agrees(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
  options: Options,
  plain: (text: string, options: Options) => Told,
): Promise<void> {
  const told = plain(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), options);
  const { measurements, invalid } = await readChunks(pieces(bytes, size), options);
  assert.deepEqual(measurements, told.filter((line) => typeof line !== "string"));
  assert.deepEqual(
    invalid.map(([line]) => line),
    told.flatMap((line, i) => line === "invalid" ? [i + 1] : []),
  );
}

/** One of a few, so that the same thing comes often. */
const few = <const T>(...values: T[]) => fc.constantFrom(...values);

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ min: 0, max: 1000, noNaN: true }).map(String),
  fc.tuple(fc.nat(99_999), fc.nat(9999)).map(([whole, part]) => `${whole}.${part}`),
  fc.nat().map((n) => `${n}e${n % 40 - 20}`),
  fc.stringMatching(/^-?\d{1,25}(\.\d{1,25})?([eE][+-]?\d{1,3})?$/),
  fc.stringMatching(/^[-+0-9.eE ]{0,8}$/),
);
const scalarText = fc.oneof(
  few(
    '"GET"',
    '"POST"',
    "200",
    "404",
    "true",
    "null",
    '""',
    '"\\u0041"',
    '"é\\n\\"€😀"',
    "1.50",
    "-0",
  ),
  fc.string({ unit: "grapheme", maxLength: 5 }).map((s) => JSON.stringify(s)),
);
const blank = few("", "", "", " ", "\t", "\r");
const keyText = few(
  '"method"',
  '"status"',
  '"k"',
  '"k"',
  '"value"',
  '"v\\u0061lue"',
  '"__proto__"',
  '""',
  '"é"',
);
const objectText = (value: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(keyText, blank, value), { maxLength: 3 }).map((members) =>
    `{${members.map(([key, space, v]) => `${key}${space}:${space}${v}`).join(",")}}`
  );
const anyText = fc.oneof(
  scalarText,
  objectText(scalarText),
  fc.array(scalarText, { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
);
const memberText = fc.oneof(
  { weight: 3, arbitrary: numberText.map((n) => `"value":${n}`) },
  { weight: 1, arbitrary: numberText.map((n) => `"value": "${n}"`) },
  { weight: 3, arbitrary: objectText(scalarText).map((o) => `"attributes":${o}`) },
  { weight: 1, arbitrary: objectText(anyText).map((o) => `"attributes": ${o}`) },
  { weight: 1, arbitrary: anyText.map((v) => `"attributes":${v}`) },
  { weight: 2, arbitrary: fc.tuple(keyText, anyText).map(([key, v]) => `${key}:${v}`) },
);
const lineText = fc.tuple(
  blank,
  fc.array(memberText, { maxLength: 5 }),
  blank,
  few(",", ", ", " ,\t"),
).map(
  ([before, members, after, comma]) => `${before}{${members.join(comma)}}${after}`,
);

/** Puts a few bytes somewhere, in the place of none or some. */
const damaged = (text: fc.Arbitrary<string>, bytes: fc.Arbitrary<number>) =>
  fc.tuple(
    text.map(bytesOf),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.array(bytes, { maxLength: 3 })), { maxLength: 2 }),
  ).map(([whole, changes]) => {
    const result = [...whole];
    for (const [at, less, more] of changes) result.splice(at % (result.length + 1), less, ...more);
    return result;
  });
const jsonByte = fc.oneof(
  fc.constantFrom(...bytesOf('{}[]",:\\/-+.eE0179utrnfalsbv \t\r\n')),
  fc.integer({ min: 0, max: 255 }),
);
/** Each line twice: once met for the first time, once remembered. */
const twice = (lines: readonly (readonly number[])[], end: string) =>
  Uint8Array.from([...lines, ...lines].flatMap((line) => [...line, ...bytesOf(end)]));
const size = fc.integer({ min: 1, max: 400 });

/** Lines whose attributes are remembered from the start: a wrong line must not pass for one that has them. */
const KNOWN = bytesOf(
  '{"value":1}\n{"value":1,"attributes":{}}\n{"value":1,"method":"GET","k":200}\n',
);

const ATTR_FIELDS = [{ name: "method", key: "m" }, { name: "k", key: "k" }, {
  name: "é",
  key: "é",
}];

for (
  const [name, attrFields] of [["the object attributes", undefined], [
    "named fields",
    ATTR_FIELDS,
  ]] as const
) {
  Deno.test(`readInput() never reads NDJSON with ${name} other than JSON.parse does`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(damaged(lineText, jsonByte), { minLength: 1, maxLength: 12 }),
        few("\n", "\r\n"),
        few(1, 1000),
        size,
        (lines, end, scale, size) =>
          agrees(
            Uint8Array.from([...KNOWN, ...twice(lines, end)]),
            size,
            { format: "ndjson", attrFields, scale },
            plainNdjson,
          ),
      ),
      RUNS,
    ));
}

Deno.test("readInput() never reads a number of its own way", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(damaged(numberText, fc.constantFrom(...bytesOf("0123456789+-.eE \t\r\nxé"))), {
        minLength: 1,
        maxLength: 20,
      }),
      few("\n", "\r\n", "\n\n"),
      few(1, 0.001),
      size,
      (lines, end, scale, size) =>
        agrees(twice(lines, end), size, { format: "text", scale }, plainText),
    ),
    RUNS,
  ));

const cell = fc.oneof(
  few("", "GET", "POST", "x", " y "),
  fc.stringMatching(/^[a-z",\r\n é😀]{0,8}$/u),
);
/** As RFC 4180 writes a cell; a quote where none is needed is allowed. */
const written = (text: string, always: boolean) =>
  always || /[",\r\n]/.test(text) || text.trim() === "" ? `"${text.replaceAll('"', '""')}"` : text;

Deno.test("readInput() reads CSV as the library csv-parse does", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, numberText, cell, cell, fc.boolean()), {
        minLength: 1,
        maxLength: 12,
      }),
      few("\n", "\r\n"),
      fc.boolean(),
      size,
      async (rows, end, bom, size) => {
        const lines = [...rows, ...rows].map(([a, value, b, c, always]) =>
          [a, value, b, c].map((text) => written(text, always)).join(",")
        );
        const text = (bom ? "\ufeff" : "") + ['a,value,b,"c ""q"", d"', ...lines, ""].join(end);
        const told: [number, unknown][] = [];
        let invalid = 0;
        const records: readonly Record<string, string>[] = parseCsv(text, {
          columns: true,
          bom: true,
        });
        for (const { value: raw, ...cells } of records) {
          const value = plainValue(raw, 1);
          if (value === undefined) invalid++;
          else {told.push([
              value,
              Object.fromEntries(Object.entries(cells).filter(([, v]) => v !== "")),
            ]);}
        }
        const attrFields = ["a", "b", 'c "q", d'].map((name) => ({ name, key: name }));
        const read = await readChunks(pieces(bytesOf(text), size), { format: "csv", attrFields });
        assert.deepEqual(read.measurements, told);
        assert.equal(read.invalid.length, invalid);
      },
    ),
    RUNS,
  ));

const csvByte = fc.oneof(
  fc.constantFrom(...bytesOf('"",,\n\r 1a')),
  fc.integer({ min: 0, max: 255 }),
);

Deno.test("readInput() reads damaged CSV alike however it is cut, and loses no line", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(csvByte, { maxLength: 120 }).map((bytes) =>
        Uint8Array.from([...bytesOf("value,a\n"), ...bytes])
      ),
      size,
      async (bytes, size) => {
        const whole = await readChunks([bytes], { format: "csv" });
        const cut = await readChunks(pieces(bytes, size % 9 + 1), { format: "csv" });
        assert.deepEqual([cut.measurements, cut.invalid], [whole.measurements, whole.invalid]);
        const lines = whole.invalid.map(([line]) => line);
        assert.deepEqual(lines, [...new Set(lines)].sort((a, b) => a - b));
        // Without quotes every line that is not blank is a measurement or invalid.
        if (bytes.includes(34)) return;
        const text = new TextDecoder().decode(bytes);
        const filled = text.split("\n").slice(1).filter((line) => !/^[ \t]*\r?$/.test(line));
        assert.equal(whole.measurements.length + whole.invalid.length, filled.length);
      },
    ),
    { ...RUNS, numRuns: 2000 },
  ));

Deno.test("readInput() never crashes or hangs, whatever bytes come and whatever they are taken for", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(jsonByte, { maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)),
      fc.constantFrom("auto" as const, "ndjson" as const, "text" as const),
      size,
      async (bytes, format, size) => {
        try {
          const { measurements, invalid } = await readChunks(pieces(bytes, size), { format });
          const lines = bytes.filter((b) => b === 10).length + 1;
          assert.ok(measurements.length + invalid.length <= lines);
        } catch (error) {
          // An input that is read as CSV may have no column "value".
          assert.equal(error instanceof Error && error.name, "UsageError");
        }
      },
    ),
    RUNS,
  ));
