import assert from "node:assert/strict";
import { aloneLines } from "../../src/draw/percentiles.ts";
import { fileOf } from "./markdown.ts";

/** Messages of Deno, of its TLS library and of other programs, and those whose words are computed. */
const FOREIGN = [
  "? ingest",
  "Unauthorized: no org id",
  "a web page",
  "invalid HTTP version parsed",
  "unexpected message",
  "received corrupt message of type InvalidContentType",
  "invalid peer certificate: UnknownIssuer",
  "extended key usage for server authentication",
  "invalid peer certificate: BadSignature",
  "received fatal alert",
  "Invalid --client-cert",
  "in .env has no effect",
  "Invalid HTTPS_PROXY",
  "failed to lookup address information",
  "Connection refused",
  "no response within",
];

/** Length from which a part of a message is typical of it. */
const SHORTEST = 8;

async function sourceText(directory: string): Promise<string> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) texts.push(await sourceText(path));
    else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(path));
  }
  return texts.join("\n");
}

Deno.test("each message of docs/troubleshooting.md is one that the program prints", async () => {
  // A message that is written on several lines becomes one.
  const source = (await sourceText(fileOf("src"))).replaceAll(/["`]\s*\+\s*["`]/g, "");
  const page = await Deno.readTextFile(fileOf("docs/troubleshooting.md"));
  const unknown: string[] = [];
  let checked = 0;
  for (const [, cell = ""] of page.matchAll(/^\| (`[^|]+) \|/gm)) {
    for (const [, message = ""] of cell.matchAll(/`([^`]+)`/g)) {
      if (FOREIGN.some((foreign) => message.includes(foreign))) continue;
      const parts = message.split(/…|\bNAME\b|\bN\b|OTEL_|\d+/).map((part) =>
        part.replaceAll(/^[ .:,()]+|[ .:,()]+$/g, "")
      );
      for (const part of parts.filter(({ length }) => length >= SHORTEST)) {
        checked++;
        if (!source.includes(part)) unknown.push(message);
      }
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(checked > 20, `${checked} parts`);
});

Deno.test("the pages name the line of percentiles from buckets as the program prints it", async () => {
  const far = { above: undefined, isFarOff: true, percent: 50 } as const;
  const estimate = (value: number) => ({ value, relation: "about" }) as const;
  const [line = ""] = aloneLines([{ ...far, held: estimate(1), alone: estimate(2) }]);
  const [printed] = /^from buckets \w+/.exec(line) ?? [];
  for (const page of ["docs/receive.md", "docs/buckets.md"]) {
    const text = await Deno.readTextFile(fileOf(page));
    const named = [...text.matchAll(/from buckets \w+(?=, as|\*\*)/g)].map(([words]) => words);
    assert.deepEqual(new Set(named), new Set([printed]), page);
  }
});
