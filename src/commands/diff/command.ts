import { canvasOf } from "../../console/canvas.ts";
import { Console } from "../../console/console.ts";
import { escapeJson } from "../../console/escape.ts";
import { counted } from "../../console/plural.ts";
import { otherMetricTexts } from "../../draw/other_metrics.ts";
import { attributeJson } from "../../otlp/attribute_json.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import type { Hide } from "../../redact/secrets.ts";
import { outputConfig } from "../../settings/output_config.ts";
import type { DiffFlags } from "../../settings/settings.ts";
import { InputError } from "../../source/input/input_error.ts";
import { readRequestLine, type ReplayLine } from "../../source/replay/replay.ts";
import { openRequestLines } from "../../source/replay/request_lines.ts";
import { compareTotals, type Difference } from "./compare.ts";
import { comparisonLines } from "./text.ts";
import { CaptureTotals, type IgnoredParts } from "../../otlp/capture_totals.ts";

/**
 * Runs `diff` on two files; resolves to the exit code. Throws a UsageError for a file that cannot be read or holds
 * something other than requests.
 */
export async function runDiff(
  [a, b]: readonly [a: string, b: string],
  flags: DiffFlags,
  system: System,
): Promise<number> {
  if (a === "-" && b === "-") {
    throw new UsageError(
      "Standard input (-) can be only one of the two files: name a file for the other",
    );
  }
  const { format } = outputConfig(flags);
  const console = new Console(system, { format });
  const ignored: IgnoredParts = {
    attributes: flags.ignoreAttr ?? [],
    resource: flags.ignoreResource ?? false,
    scope: flags.ignoreScope ?? false,
  };
  const otherSignals = new Map<string, number>();
  const read = (path: string) => readTotals(path, ignored, otherSignals, system);
  const totals = [await read(a), await read(b)];
  if (system.stop.aborted) {
    console.error("stopped before both files were read: nothing was compared");
    return 1;
  }
  otherMetricTexts("Not compared", totals.map(({ others }) => others)).forEach(console.note);
  for (const [signal, lines] of otherSignals) {
    console.note(`Not compared: ${counted(lines, "line")} of ${signal}`);
  }
  const [ofA, ofB] = totals.map((capture) => capture.totals());
  const comparison = compareTotals(ofA ?? new Map(), ofB ?? new Map());
  if (comparison.series === 0) console.warn("neither file holds a histogram with measurements");
  const exitCode = comparison.equal === comparison.series ? 0 : 1;
  const hide = system.secrets.hideInData;
  const out = format === "text" ? comparisonLines(comparison, canvasOf(system, { hide })) : [
    ...comparison.differences.map((difference) => differenceJson(difference, hide)),
    escapeJson({ type: "summary", ...counts(comparison), exitCode }),
  ];
  console.print({ out: [...out], err: [] });
  return exitCode;
}

function counts(comparison: ReturnType<typeof compareTotals>) {
  const { series, equal, different, missing, extra } = comparison;
  return { series, equal, different, missing, extra };
}

function differenceJson({ series, what, a, b }: Difference, hide: Hide): string {
  const attributes = Object.fromEntries(series.attributes.map(({ key, value }) => {
    const shown = attributeJson(value);
    return [hide(key), typeof shown === "string" ? hide(shown) : shown];
  }));
  return escapeJson({ type: "difference", metric: hide(series.metric), attributes, what, a, b });
}

async function readTotals(
  path: string,
  ignored: IgnoredParts,
  otherSignals: Map<string, number>,
  system: System,
): Promise<CaptureTotals> {
  const totals = new CaptureTotals(ignored);
  const name = path === "-" ? "standard input" : `"${path}"`;
  const lines = await openRequestLines({ path, setting: "diff" }, system, system.stop);
  try {
    for await (const { where, text } of documentsOf(lines)) {
      const read = readRequestLine(text);
      const signal = typeof read === "string" ? signalOfLine(text) : undefined;
      if (signal !== undefined) {
        otherSignals.set(signal, (otherSignals.get(signal) ?? 0) + 1);
        continue;
      }
      if (typeof read === "string") {
        throw new UsageError(
          `Cannot use ${where} of ${name}: ${read}. Expected requests in OTLP/JSON, one per line, as receive --save ` +
            "and a Collector's file exporter write them, or one document",
        );
      }
      totals.add(read.request);
    }
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    throw new UsageError(`Cannot read ${name} to its end: ${thrown.message}`);
  }
  return totals;
}

const SIGNALS = { spans: "traces", logs: "logs", profiles: "profiles" } as const;

/** Returns the signal of a line that holds another one than metrics: a Collector's pipelines can share a file. */
function signalOfLine(text = ""): string | undefined {
  const [, key = ""] = /^\s*\{\s*"resource_?(spans|logs|profiles)"/i.exec(text) ?? [];
  return Object.entries(SIGNALS).find(([named]) => named === key.toLowerCase())?.[1];
}

interface Document {
  /** Place in the file, for a message. */
  readonly where: string;
  readonly text: string | undefined;
}

/** Yields each line that is not blank; a file that begins like pretty-printed JSON is one document. */
async function* documentsOf(lines: AsyncIterable<ReplayLine>): AsyncGenerator<Document> {
  const document: string[] = [];
  let isFirst = true;
  for await (const { number, text } of lines) {
    if (text?.trim() === "") continue;
    const begins = isFirst && text !== undefined && /^\s*\{\s*$/.test(text);
    isFirst = false;
    if ((begins || document.length > 0) && text !== undefined) document.push(text);
    else yield { where: `line ${number}`, text };
  }
  if (document.length > 0) yield { where: "the document", text: document.join("\n") };
}
