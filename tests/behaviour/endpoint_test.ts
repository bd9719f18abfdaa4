import type { Fixture } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { sentOnce, sentToDynatrace } from "../support/wording.ts";

/** No token and no header of the environment. */
const bare = { DT_API_TOKEN: "", OTEL_EXPORTER_OTLP_HEADERS: "" };
/** One send to a target of the receiver, which is shown. */
const reaches = (target: string, shown = target) => ({
  requests: [{ target }],
  stdout: sentOnce(`http://127.0.0.1:PORT${shown}`),
});
const elsewhere = "http://127.0.0.1:9/never";

const rows: readonly Fixture[] = [
  {
    name: "--endpoint is a base: /v1/metrics is added",
    args: ["--endpoint", "{url}"],
    ...reaches("/v1/metrics"),
  },
  {
    name: "--endpoint loses its trailing slashes when it has a path",
    args: ["--endpoint", "{url}/base///"],
    ...reaches("/base/v1/metrics"),
  },
  {
    name: "--endpoint gets no second /v1/metrics when it has one",
    args: ["--endpoint", "{url}/base/v1/metrics"],
    ...reaches("/base/v1/metrics"),
  },
  {
    name: "--endpoint gets no second /v1/metrics when it ends with a slash",
    args: ["--endpoint", "{url}/v1/metrics/"],
    ...reaches("/v1/metrics"),
  },
  {
    name: "--endpoint keeps its query string behind the path",
    args: ["--endpoint", "{url}/otlp/?tenant=a%20b&x=1"],
    ...reaches("/otlp/v1/metrics?tenant=a%20b&x=1", "/otlp/v1/metrics?tenant=***&x=***"),
  },
  {
    name: "--endpoint=URL in one word is taken",
    args: ["--endpoint={url}/one"],
    ...reaches("/one/v1/metrics"),
  },
  {
    name: "DT_ENDPOINT is a base when it is Dynatrace's, with its trailing slash",
    args: [],
    env: { DT_ENDPOINT: "{url}/e/abc12345/api/v2/otlp/" },
    requests: [{ target: "/e/abc12345/api/v2/otlp/v1/metrics" }],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/e/abc12345/api/v2/otlp/v1/metrics"),
  },
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT is a base",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "{url}/otlp/" },
    ...reaches("/otlp/v1/metrics"),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is",
    args: [],
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}/custom/?a=b" },
    ...reaches("/custom/?a=b", "/custom/?a=***"),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is when it has no path",
    args: [],
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}" },
    ...reaches("/"),
  },
  {
    name: "--endpoint beats every variable",
    args: ["--endpoint", "{url}/flag"],
    env: {
      DT_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
    },
    dotenv: `DT_ENDPOINT=${elsewhere}\n`,
    ...reaches("/flag/v1/metrics"),
  },
  {
    name: "DT_ENDPOINT beats the OTEL variables",
    args: [],
    env: {
      DT_ENDPOINT: "{url}/dt",
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
    },
    ...reaches("/dt/v1/metrics"),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT beats the general one",
    args: [],
    env: {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}/mine",
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
    },
    ...reaches("/mine"),
  },
  {
    name: ".env names the endpoint when nothing else does",
    args: [],
    dotenv: "# receiver\nexport DT_ENDPOINT='{url}/kept'\n",
    ...reaches("/kept/v1/metrics"),
  },
  {
    name: "the environment beats the same name in .env",
    args: [],
    env: { DT_ENDPOINT: "{url}/environment" },
    dotenv: `DT_ENDPOINT=${elsewhere}\n`,
    ...reaches("/environment/v1/metrics"),
  },
  {
    name: ".env is merged before names are tried: its DT_ENDPOINT beats OTEL_… of the environment",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere },
    dotenv: "DT_ENDPOINT={url}/kept\n",
    ...reaches("/kept/v1/metrics"),
  },
  {
    name: "a variable of blanks counts as not set, in the environment and in .env",
    args: [],
    env: { DT_ENDPOINT: "  ", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "" },
    dotenv: 'DT_ENDPOINT="  "\nOTEL_EXPORTER_OTLP_ENDPOINT={url}/blank\n',
    ...reaches("/blank/v1/metrics"),
  },
  {
    name: "--env-file names another file, and .env is not read",
    args: ["--env-file", "settings/prod.env"],
    dotenv: `DT_ENDPOINT=${elsewhere}\n`,
    files: { "settings/prod.env": "DT_ENDPOINT={url}/prod\n" },
    ...reaches("/prod/v1/metrics"),
  },
  {
    name: ".env must be UTF-8",
    args: ["--endpoint", "{url}"],
    files: { ".env": "A\0=\0" },
    status: 2,
    stderr: [
      'ERROR: Cannot read ".env": it is UTF-16. Save it as UTF-8, for example with iconv -f UTF-16LE -t UTF-8',
    ],
    requests: 0,
  },
  {
    name: "--env-file must exist",
    args: ["--endpoint", "{url}", "--env-file", "missing.env"],
    status: 2,
    stderr: ['ERROR: Cannot read the file of --env-file, "missing.env": it does not exist'],
    requests: 0,
  },
  {
    name: "without an endpoint the message names DT_ENDPOINT and DT_API_TOKEN",
    args: [],
    env: bare,
    status: 2,
    stderr: [
      /^ERROR: Please set DT_ENDPOINT and DT_API_TOKEN\. DT_ENDPOINT is missing\.$/,
      /DT_ENDPOINT example: https:\/\//,
      /DT_API_TOKEN example: dt0c01\./,
      /--endpoint http/,
    ],
    requests: 0,
  },
];
testFixtures(rows);
