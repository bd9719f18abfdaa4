import {
  invalid,
  keyValue,
  keyValueList,
  type Setting,
  type Variables,
} from "../settings/setting.ts";
import { percentDecode } from "../redact/percent.ts";
import { type SendFlags, settingsOf, variableOf } from "../settings/settings.ts";

/** Header of every request, and the setting that gave it. */
export interface Header {
  readonly value: string;
  readonly setting: Setting;
}

/**
 * Names of headers that the program sets itself: another value would contradict the body or how the response is read.
 */
const OWN_HEADERS = [
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "transfer-encoding",
];

const EXPECTED =
  "NAME=VALUE, for example X-Scope=team-a; in a variable, separate several with commas";

/** Reads headers by lower-case name. `--header` overrides the variable, name by name. */
export function headersOf(
  flags: Pick<SendFlags, "header">,
  find: Variables,
): ReadonlyMap<string, Header> {
  const headers = new Map<string, Header>();
  const variable = variableOf("header", find);
  if (variable !== undefined) {
    for (const [name, value] of keyValueList(variable, EXPECTED)) {
      headers.set(headerName(name, value, variable, EXPECTED), { value, setting: variable });
    }
  }
  for (const setting of settingsOf("header", flags)) {
    const [name, value] = headerOf(setting, EXPECTED);
    headers.set(name, { value, setting });
  }
  return headers;
}

/** Parses one `NAME=VALUE` into the lower-case name and the decoded value, or throws a UsageError. */
export function headerOf(setting: Setting, expected: string): readonly [string, string] {
  const pair = keyValue(setting.value);
  if (pair === undefined) throw invalid(setting, expected);
  const value = percentDecode(pair[1]);
  return [headerName(pair[0], value, setting, expected), value];
}

function headerName(name: string, value: string, setting: Setting, expected: string): string {
  const key = name.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key)) throw invalid(setting, expected);
  if (!isHeaderValue(value)) {
    throw invalid(setting, `a value of "${name}" without line breaks, in Latin-1`);
  }
  if (key === "authorization" && QUOTED_CREDENTIALS.test(value)) {
    throw invalid(setting, 'a value of "Authorization" without quotes around it');
  }
  if (OWN_HEADERS.includes(key)) {
    throw invalid(setting, `a name other than "${name}", which the program sets itself`);
  }
  return key;
}

/**
 * Authorization value whose scheme or token begins with a quote. The parameters of Digest may end with one (RFC 9110,
 * 11.4).
 */
const QUOTED_CREDENTIALS = /^(?:(?:Api-Token|Bearer|Basic)\s+)?["'`\u2018\u201c]/i;

/** Whether a text can be the value of an HTTP header (RFC 9110, 5.5) in fetch. */
function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
