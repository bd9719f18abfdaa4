import type { Fixture } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSendOfOwn, sentOnce } from "../support/wording.ts";

const GUESS =
  "The input was read as CSV, because its first line is not JSON, key=value pairs, a number or an access log. ";
const FREE_TEXT =
  ". For CSV without a header use --columns; for lines of free text use --pattern, or --log-format";

const to = (...args: readonly string[]) => ["--endpoint", "{url}", ...args];
const refused = (name: string, args: readonly string[], message: string): Fixture => ({
  name,
  args: to(...args),
  files: {
    "in.csv": "a,b\n1,2\n",
    "in.txt": "1\n",
    "all.json": '[\n  {"value":1}\n]\n',
    "folder/x": "",
  },
  status: 2,
  // A header is read once the input is.
  stdout: /CSV|JSON/.test(message) ? beforeSendOfOwn().slice(0, 1) : [],
  stderr: [`ERROR: ${message}`],
  requests: 0,
});

const rows: readonly Fixture[] = [
  {
    name: "/dev/null on standard input is no reason to say anything",
    args: to(),
    stdout: sentOnce(),
  },
  refused(
    "--input of a file that does not exist",
    ["--input", "nowhere.csv"],
    'Cannot read the file of --input, "nowhere.csv": it does not exist',
  ),
  refused(
    "--input of a directory",
    ["--input", "folder"],
    'Cannot read the file of --input, "folder": it is a directory',
  ),
  refused(
    "--input-format of another kind",
    ["--input", "in.txt", "--input-format", "xml"],
    'Invalid --input-format "xml" (command line): expected "auto" or "ndjson" or "csv" or "tsv" or "text" or ' +
      '"logfmt" or "combined" or "pattern" or "w3c" or "prometheus"',
  ),
  refused(
    "--scale 0",
    ["--input", "in.txt", "--scale", "0"],
    'Invalid --scale "0" (command line): expected a number above 0, for example 1000 for seconds to ms',
  ),
  refused(
    "--value-field without a name",
    ["--input", "in.txt", "--value-field", ""],
    'Invalid --value-field "" (command line): expected the name of a field, or NAME=METRIC[:UNIT], for example request_time=nginx.request.duration:s',
  ),
  refused(
    "--attr-field without a key",
    ["--input", "in.txt", "--attr-field", "a="],
    'Invalid --attr-field "a=" (command line): expected NAME, or NAME=KEY, for example status=http.status_code',
  ),
  refused(
    "--attr-field of text",
    ["--input", "in.txt", "--input-format", "text", "--attr-field", "a"],
    "--attr-field has no effect with --input-format text, whose lines do not have fields",
  ),
  refused(
    "a CSV without the value's column",
    ["--input", "in.csv"],
    `${GUESS}The first line of the CSV input has no column "value", only "a", "b". Name the right one with --value-field${FREE_TEXT}`,
  ),
  refused(
    "a CSV without an attribute's column",
    ["--input", "in.csv", "--value-field", "a", "--attr-field", "c"],
    `${GUESS}The first line of the CSV input has no column "c", only "a", "b". Name the right one with --attr-field${FREE_TEXT}`,
  ),
  refused(
    "a JSON array",
    ["--input", "all.json"],
    `The input "all.json" is a JSON array, which this program cannot read. Convert it: jq -c '.[]' all.json | otlp-histogram --input -`,
  ),
];
testFixtures(rows);
