import { UsageError } from "../../platform/errors.ts";
import { LINE_FEED } from "./lines.ts";

/** Kind of an input, as its first bytes show it. */
export type Content = "text" | "gzip" | Foreign;

/** Kind of input that this program does not read, but that a command may convert; `what` names it in messages. */
export interface Foreign {
  readonly what: string;
  /** Command that converts standard input, or the file whose name is put behind it; undefined if there is none. */
  readonly command: string | undefined;
  /** Command for standard input, if that is a different one. */
  readonly piped?: string;
  /** Command that unpacks the input before it is converted. */
  readonly unpack?: string;
  /** Words about the command, behind it. */
  readonly aside?: string;
}

/** Number of first bytes that decide; fewer if the first line that is not blank ends before. */
const DECISIVE_BYTES = 512;

const ICONV = { what: "UTF-16", command: "iconv -f UTF-16 -t UTF-8" } as const;

/** Text whose lines end as those of Mac OS 9 did, and of Excel's "CSV (Macintosh)": it has a single line. */
const OLD_MAC: Foreign = {
  what: "text whose lines end in a carriage return alone",
  command: String.raw`tr '\r' '\n' <`,
  piped: String.raw`tr '\r' '\n'`,
};

const RECORD_SEPARATOR = 0x1e;
/** RFC 7464, as `journalctl -o json-seq` and `jq --seq` write it. */
const JSON_SEQUENCE: Foreign = {
  what: "a JSON text sequence",
  command: String.raw`tr -d '\036' <`,
  piped: String.raw`tr -d '\036'`,
};

/** Signatures of known formats, the longest first; -1 matches any byte. */
const SIGNATURES: readonly (readonly [bytes: readonly number[], Content])[] = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], { what: "xz", command: "xz -dc" }],
  [[0xff, 0xfe, 0, 0], { what: "UTF-32", command: "iconv -f UTF-32 -t UTF-8" }],
  [[0, 0, 0xfe, 0xff], { what: "UTF-32", command: "iconv -f UTF-32 -t UTF-8" }],
  [[0x28, 0xb5, 0x2f, 0xfd], { what: "zstd", command: "zstd -dc" }],
  [[0x04, 0x22, 0x4d, 0x18], { what: "lz4", command: "lz4 -dc" }],
  [[0x50, 0x4b, 3, 4], { what: "a zip archive", command: "unzip -p", piped: "funzip" }],
  // A digit and a block's own magic number follow, so that text may begin with BZh.
  [[0x42, 0x5a, 0x68, -1, 0x31, 0x41], { what: "bzip2", command: "bzip2 -dc" }],
  [[0x1f, 0x8b], "gzip"],
  [[0xff, 0xfe], ICONV],
  [[0xfe, 0xff], ICONV],
];

/** Whether more bytes than these can change what `contentOf` says; text says no more after its first line. */
export function isUndecided(head: Uint8Array): boolean {
  if (head.length < 2) return true;
  // Whether a bracket begins a JSON array, or a carriage return ends a line, only the whole first line tells.
  if (head.length >= DECISIVE_BYTES || contentOf(head, "pattern") !== "text") return false;
  return !firstLine(head).includes(LINE_FEED);
}

/** Recognises an input by its first bytes. A JSON array matters only to formats that hold JSON. */
export function contentOf(head: Uint8Array, format: string): Content {
  const known = SIGNATURES.find(([bytes]) =>
    bytes.length <= head.length && bytes.every((byte, i) => byte < 0 || byte === head[i])
  );
  if (known !== undefined) return known[1];
  const [first, second] = head;
  // Without a byte order mark every other byte of English is 0.
  if (first !== 0 && second === 0 && head[2] !== 0) {
    return { what: "UTF-16 (little endian)", command: "iconv -f UTF-16LE -t UTF-8" };
  }
  if (first === 0 && second !== undefined && second !== 0) {
    return { what: "UTF-16 (big endian)", command: "iconv -f UTF-16BE -t UTF-8" };
  }
  const line = firstLine(head);
  if (line.includes(0)) return { what: "a binary file", command: undefined };
  // Read as CSV it would be a header alone. In other formats it is an invalid line.
  const mayBeCsv = ["auto", "csv", "tsv"].includes(format);
  if (mayBeCsv && !line.includes(LINE_FEED) && hasBareReturn(line)) return OLD_MAC;
  if (format !== "auto" && format !== "ndjson") return "text";
  if (line[0] === RECORD_SEPARATOR) return JSON_SEQUENCE;
  const text = String.fromCharCode(...line);
  if (XML.test(text)) {
    const aside = "; for elements other than JUnit's test cases, replace testcase with their name";
    return { what: "XML", command: TEST_CASES, piped: `${TEST_CASES} /dev/stdin`, aside };
  }
  if (/^\s*\{\s*\n$/.test(text)) {
    const aside = "; for the elements of a list in it, use '.NAME[]' instead of .";
    return { what: "pretty-printed JSON", command: "jq -c .", aside };
  }
  return JSON_ARRAY.test(text) ? { what: "a JSON array", command: "jq -c '.[]'" } : "text";
}

/** Whether more of the line follows a carriage return. */
function hasBareReturn(line: Uint8Array): boolean {
  const at = line.indexOf(13);
  return at >= 0 && line.subarray(at).some((byte) => !BLANKS.includes(byte));
}

/** A declaration, a comment or an element; `<134>` begins a line of syslog. */
const XML = /^\s*<(?:[?!]|[A-Za-z_][\w:.-]*(?:[\s/>]|$))/;

/** Turns the test cases of JUnit's XML into NDJSON: `time` is in seconds, beside `name` and `classname`. */
const TEST_CASES = "python3 -c 'import json, sys, xml.etree.ElementTree as xml; " +
  `[print(json.dumps(case.attrib)) for case in xml.parse(sys.argv[1]).iter("testcase")]'`;

/** A bracket, and in its line what JSON can have there; `[10/Oct/2000…`, `[error]` and a process's `[12] …` are not JSON. */
const JSON_ARRAY =
  /^[ \t]*\[[ \t]*(?:[[{"\]]|\r?\n|$|(?:-?\d[\d.eE+-]*|true|false|null)[ \t]*(?:,|\r?\n|$|\][ \t]*(?:\r?\n|$)))/;

/** The first line that is not blank, with its line feed, as far as it lies within the bytes that decide. */
function firstLine(head: Uint8Array): Uint8Array {
  const isMarked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  const most = head.subarray(isMarked ? 3 : 0, DECISIVE_BYTES);
  const from = most.findIndex((byte) => !BLANKS.includes(byte));
  if (from < 0) return most.subarray(most.length);
  const feed = most.indexOf(LINE_FEED, from);
  return most.subarray(from, feed < 0 ? most.length : feed + 1);
}

const BLANKS: readonly number[] = [LINE_FEED, 13, 32, 9];

/**
 * Makes the error that names the command which converts the input of this name; without a name the input came through a
 * pipe. The command ends with the user's own arguments.
 */
export function foreignError(
  { what, command, piped = command, unpack, aside = "" }: Foreign,
  name: string,
  ownArguments: readonly string[] = ["--input", "-"],
): UsageError {
  const own = ["otlp-histogram", ...ownArguments.map(shellWord)].join(" ");
  const input = name === "" ? "The input" : `The input ${JSON.stringify(name)}`;
  if (command === undefined) {
    return new UsageError(
      `${input} is ${what}, not lines of text: convert it to NDJSON or CSV first, and pipe that into ${own}`,
    );
  }
  const first = unpack ?? command;
  const begin = name === "" ? `… | ${unpack ?? piped}` : `${first} ${shellWord(name)}`;
  const source = unpack === undefined ? begin : `${begin} | ${piped}`;
  return new UsageError(
    `${input} is ${what}, which this program cannot read. Convert it: ${source} | ${own}${aside}`,
  );
}

/** A word as a POSIX shell takes it. */
function shellWord(text: string): string {
  return /^[\w./+@%,=-]+$/.test(text) &&
      (!text.startsWith("-") || /^(?:-|--[a-z][a-z-]+)$/.test(text))
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
