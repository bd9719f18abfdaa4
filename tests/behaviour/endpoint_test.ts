import { type Row, testRows } from "./table.ts";

/** No token and no header of the environment. */
const bare = { DT_API_TOKEN: "", OTEL_EXPORTER_OTLP_HEADERS: "" };
const elsewhere = "http://127.0.0.1:9/never";

const rows: readonly Row[] = [
  {
    name: "--endpoint is a base: /v1/metrics is added",
    args: ["--endpoint", "{url}"],
    requests: [{ target: "/v1/metrics" }],
  },
  {
    name: "--endpoint loses its trailing slashes when it has a path",
    args: ["--endpoint", "{url}/base///"],
    requests: [{ target: "/base/v1/metrics" }],
  },
  {
    name: "--endpoint gets no second /v1/metrics when it has one",
    args: ["--endpoint", "{url}/base/v1/metrics"],
    requests: [{ target: "/base/v1/metrics" }],
  },
  {
    name: "--endpoint gets no second /v1/metrics when it ends with a slash",
    args: ["--endpoint", "{url}/v1/metrics/"],
    requests: [{ target: "/v1/metrics" }],
  },
  {
    name: "--endpoint keeps its query string behind the path",
    args: ["--endpoint", "{url}/otlp/?tenant=a%20b&x=1"],
    requests: [{ target: "/otlp/v1/metrics?tenant=a%20b&x=1" }],
  },
  {
    name: "--endpoint=URL in one word is taken",
    args: ["--endpoint={url}/one"],
    requests: [{ target: "/one/v1/metrics" }],
  },
  {
    name: "DT_ENDPOINT is a base when it is Dynatrace's, with its trailing slash",
    args: [],
    env: { DT_ENDPOINT: "{url}/e/ENV/api/v2/otlp/" },
    requests: [{ target: "/e/ENV/api/v2/otlp/v1/metrics" }],
  },
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT is a base",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "{url}/otlp/" },
    requests: [{ target: "/otlp/v1/metrics" }],
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is",
    args: [],
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}/custom/?a=b" },
    requests: [{ target: "/custom/?a=b" }],
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is when it has no path",
    args: [],
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}" },
    requests: [{ target: "/" }],
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
    requests: [{ target: "/flag/v1/metrics" }],
  },
  {
    name: "DT_ENDPOINT beats the OTEL variables",
    args: [],
    env: {
      DT_ENDPOINT: "{url}/dt",
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
    },
    requests: [{ target: "/dt/v1/metrics" }],
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT beats the general one",
    args: [],
    env: {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}/mine",
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
    },
    requests: [{ target: "/mine" }],
  },
  {
    name: ".env names the endpoint when nothing else does",
    args: [],
    dotenv: "# receiver\nexport DT_ENDPOINT='{url}/kept'\n",
    requests: [{ target: "/kept/v1/metrics" }],
  },
  {
    name: "the environment beats the same name in .env",
    args: [],
    env: { DT_ENDPOINT: "{url}/environment" },
    dotenv: `DT_ENDPOINT=${elsewhere}\n`,
    requests: [{ target: "/environment/v1/metrics" }],
  },
  {
    name: ".env is merged before names are tried: its DT_ENDPOINT beats OTEL_… of the environment",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere },
    dotenv: "DT_ENDPOINT={url}/kept\n",
    requests: [{ target: "/kept/v1/metrics" }],
  },
  {
    name: "a variable of blanks counts as not set, in the environment and in .env",
    args: [],
    env: { DT_ENDPOINT: "  ", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "" },
    dotenv: 'DT_ENDPOINT="  "\nOTEL_EXPORTER_OTLP_ENDPOINT={url}/blank\n',
    requests: [{ target: "/blank/v1/metrics" }],
  },
  {
    name: "--env-file names another file, and .env is not read",
    args: ["--env-file", "settings/prod.env"],
    dotenv: `DT_ENDPOINT=${elsewhere}\n`,
    files: { "settings/prod.env": "DT_ENDPOINT={url}/prod\n" },
    requests: [{ target: "/prod/v1/metrics" }],
  },
  {
    name: "--env-file must exist",
    args: ["--endpoint", "{url}", "--env-file", "missing.env"],
    status: 2,
    stdout: [],
    stderr: ['ERROR: Cannot read the file of --env-file, "missing.env": it does not exist'],
    requests: 0,
  },
  {
    name: "without an endpoint the message names DT_ENDPOINT and DT_API_TOKEN",
    args: [],
    env: bare,
    status: 2,
    stdout: [],
    stderr: [
      /^ERROR: Please set DT_ENDPOINT and DT_API_TOKEN\. DT_ENDPOINT is missing\.$/,
      /DT_ENDPOINT example: https:\/\//,
      /DT_API_TOKEN example: dt0c01\./,
      /--endpoint http/,
    ],
    requests: 0,
  },
];
testRows(rows);
