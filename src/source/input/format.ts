import { decimal } from "../../platform/number.ts";
import { isDuration } from "./duration.ts";

/** The formats of an input, as the table of settings offers them. */
export type InputFormat =
  | "ndjson"
  | "csv"
  | "tsv"
  | "text"
  | "logfmt"
  | "combined"
  | "pattern"
  | "w3c"
  | "prometheus";

/** Formats whose first line names the columns. */
export const HEADED_FORMATS: ReadonlySet<InputFormat> = new Set(["csv", "tsv", "w3c"]);

/** The comments that Prometheus writes before a metric; `# EOF` and others show no format. */
const PROMETHEUS = /^# (?:HELP|TYPE|UNIT) [a-zA-Z_:"]/;

/** A sample with a metric's name in quotes (Prometheus, UTF-8 names): in JSON a colon follows the first text. */
const QUOTED_METRIC = /^\{[ \t]*"(?:[^"\\]|\\.)*"[ \t]*[,}]/;

/** A sample with labels, as of an exposition that has lost its comments. */
const SAMPLE = /^[a-zA-Z_:][\w:]*\{[ \t]*[a-zA-Z_]\w*[ \t]*="(?:[^"\\]|\\.)*".*\}[ \t]+[\d.+-]\S*/;

/** The time in brackets, the request in quotes, the status, the size. */
const COMBINED_LINE = /^\S+ .*\[[^\]]+\] "(?:[^"\\]|\\.)*" (?:\d{3}|-) (?:\d+|-)(?:\s|$)/;

/** A whole `key=value` pair, with blanks around it: a comma after the value would make it a cell of CSV. */
const PAIR = /(?:^|\s)[A-Za-z_@][\w.@/:-]*=(?:"(?:[^"\\]|\\.)*"|[^\s",;]*)(?:\s|$)/;

/** The line that Excel reads and writes in front of a CSV header, to name the separator. */
export const EXCEL_SEPARATOR = /^"?sep=(.?)"?\s*$/i;

/** Recognises the format by the first line that is not blank; undefined when that is a comment, which shows none. */
export function formatOf(line: string): InputFormat | undefined {
  if (line.startsWith("{")) return QUOTED_METRIC.test(line) ? "prometheus" : "ndjson";
  if (line.startsWith("#Fields:")) return "w3c";
  if (line.startsWith("#")) return PROMETHEUS.test(line) ? "prometheus" : undefined;
  if (!Number.isNaN(decimal(line)) || isDuration(line)) return "text";
  if (COMBINED_LINE.test(line)) return "combined";
  if (SAMPLE.test(line)) return "prometheus";
  if (EXCEL_SEPARATOR.test(line)) return "csv";
  return PAIR.test(line) ? "logfmt" : "csv";
}
