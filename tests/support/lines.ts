import assert from "node:assert/strict";
import type { Proxy } from "./proxy.ts";
import type { Receiver } from "./receiver.ts";

/** A text is a whole line, an expression matches one; see `like` and `repeated` for the others. */
export type Line = string | RegExp | Like | Repeated;
/** Every line that is printed, or "any": the fixture does not look. */
export type Output = readonly Line[] | "any";

interface Like {
  readonly like: Readonly<Record<string, Field>>;
}
type Field = string | number | boolean | null | RegExp;

interface Repeated {
  readonly repeated: Exclude<Line, Repeated>;
  readonly atLeast: number;
}

/** A line that is a JSON object with these fields among others; an expression matches the field's text. */
export function like(fields: Readonly<Record<string, Field>>): Like {
  return { like: fields };
}

/** As many such lines one after the other as come, for what depends on how fast the machine is. */
export function repeated(line: Exclude<Line, Repeated>, atLeast = 0): Repeated {
  return { repeated: line, atLeast };
}

/** A warning and an error on standard error under `--output json`. */
export function warning(message: string | RegExp): Like {
  return like({ type: "warning", message });
}

export function error(message: string | RegExp): Like {
  return like({ type: "error", message });
}

/** The expected lines where the text has them, and what it has in their place elsewhere: to be compared with them. */
export function matched(text: string, expected: readonly Line[]): readonly unknown[] {
  assert.ok(text === "" || text.endsWith("\n"), `The last line does not end:\n${text}`);
  const lines = text.split("\n").slice(0, -1);
  const found: unknown[] = [];
  for (const line of expected) {
    if (typeof line === "object" && "repeated" in line) {
      let count = 0;
      while (lines[0] !== undefined && matches(lines[0], line.repeated)) {
        lines.shift();
        count++;
      }
      found.push(count >= line.atLeast ? line : `(${count} such lines)`);
      continue;
    }
    const next = lines.shift();
    if (next === undefined) break;
    found.push(matches(next, line) ? line : next);
  }
  return [...found, ...lines];
}

function matches(text: string, line: Exclude<Line, Repeated>): boolean {
  if (typeof line === "string") return text === line;
  if (line instanceof RegExp) return line.test(text);
  const object = parsed(text);
  return object !== undefined && Object.entries(line.like).every(([name, field]) => {
    const value = object[name];
    return field instanceof RegExp ? field.test(String(value)) : value === field;
  });
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Lines that are all JSON objects; fails for any other. */
export function objects(text: string): readonly JsonObject[] {
  assert.ok(text === "" || text.endsWith("\n"), `The last line does not end:\n${text}`);
  return text.split("\n").slice(0, -1).map((line) => {
    const object = parsed(line);
    assert.ok(object !== undefined, `Not a JSON object: ${line}`);
    return object;
  });
}

/** Undefined when a line is not a JSON object. */
export function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** As it is when a request was answered. */
const LATENCY = /"latencyMs":\{"p50":[\d.]+,"p90":[\d.]+,"p99":[\d.]+,"max":[\d.]+\}/g;

/** Replaces ports, times, sizes and durations, which change from run to run, by a word. */
export function normalized(
  text: string,
  receiver?: Pick<Receiver, "port">,
  proxy?: Pick<Proxy, "port">,
): string {
  return text
    .replaceAll(`:${receiver?.port ?? "none"}`, ":PORT")
    .replaceAll(`:${proxy?.port ?? "none"}`, ":PROXY")
    .replaceAll(/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/g, "[TIME]")
    .replaceAll(/"(time|startTime)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"$1":"TIME"')
    .replaceAll(/"(bytes|durationMs|elapsedMs)":\d+(\.\d+)?/g, '"$1":"N"')
    .replaceAll(LATENCY, '"latencyMs":"N"')
    .replaceAll(
      /"latencyHistogram":\{"bounds":\[[\d.,]+\],"counts":\[[\d,]+\]\}/g,
      '"latencyHistogram":"N"',
    )
    .replaceAll(/\d+ bytes/g, "N bytes")
    .replaceAll(/\bin \d+\.\d (ms|s)\b/g, "in N $1");
}
