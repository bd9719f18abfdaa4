import type { CommandName } from "../settings/settings_table.ts";
import type { Command } from "./command_names.ts";

interface CommandHelp {
  /** One line for the list of commands. */
  readonly brief: string;
  readonly usage: string;
  /** Description, one paragraph each. */
  readonly about: readonly string[];
  /** Command whose rows of the table of settings are its flags. */
  readonly flags?: CommandName;
  /** Command lines, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
  readonly statuses?: readonly (readonly [string, string])[];
}

/** Sentence about what is sent when no source of measurements is named. */
export const NO_SOURCE =
  "Without a data source (--value, --input, --scenario or a flag under Generated data), each send holds the same " +
  "five sample measurements, which are built in.";

/** Help of each command. */
export const COMMAND_HELP: Readonly<Record<Command, CommandHelp>> = {
  send: {
    brief: "send measurements (the default command)",
    usage: "otlp-histogram [send] [flags]",
    about: [
      "Sends histogram metrics to Dynatrace or any other OTLP receiver, once or in a loop, and reports whether they " +
      "were accepted. It uses OTLP: protobuf over HTTP, with DELTA temporality.",
      NO_SOURCE,
    ],
    flags: "send",
    examples: [
      [
        "DT_ENDPOINT=https://ENV.live.dynatrace.com/api/v2/otlp DT_API_TOKEN=… otlp-histogram",
        "send the built-in samples to Dynatrace",
      ],
      [
        "otlp-histogram --endpoint http://localhost:4318 --value 12.5 --value 80",
        "send two measurements to a Collector",
      ],
      [
        "otlp-histogram --input access.log --time-field time --value-field request_time --scale 1000",
        "send an access log, each line in the minute of its time",
      ],
      [
        "otlp-histogram --loop --interval 10 --series 100 --rate 500 --spool spool",
        "generate load until Ctrl+C, and keep unsent data",
      ],
      [
        "otlp-histogram plot --input durations.csv",
        "look at the measurements before you send them",
      ],
    ],
    statuses: [
      ["0", "everything was read and accepted"],
      ["1", "a measurement was not delivered, or a line of the input was invalid or not read"],
      ["2", "usage or configuration"],
      ["3", "the receiver accepted the request but rejected some data points"],
    ],
  },
  exec: {
    brief: "run a command, and send how long it took",
    usage: "otlp-histogram exec [flags] -- COMMAND [ARG…]",
    about: [
      "Runs COMMAND, sends its duration in seconds and exits with COMMAND's exit code. The metric is " +
      "process.command.duration with the attributes process.executable.name and process.exit.code.",
      "COMMAND uses the standard streams and always runs. Any problem with the configuration or the send is a " +
      "warning afterwards and does not change the exit code. Nothing is printed when the measurement is accepted. A " +
      "silent receiver delays the end by at most --retry-for. Signals are forwarded to COMMAND.",
    ],
    flags: "exec",
    examples: [
      ["otlp-histogram exec -- ./backup.sh", "time a cron job"],
      [
        "otlp-histogram exec --attr job=nightly --spool /var/spool/otlp-histogram -- ./backup.sh",
        "keep the measurement if the receiver is down, and send it after the next run",
      ],
      [
        "otlp-histogram exec --metric build.duration --attr cicd.pipeline.task.name=test -- npm test",
        "time a build step",
      ],
    ],
    statuses: [
      ["0–125", "exit code of COMMAND"],
      ["126", "COMMAND could not be run"],
      ["127", "COMMAND was not found"],
      ["128+N", "signal N ended COMMAND"],
      ["2", "unknown flag or missing COMMAND; nothing was run"],
    ],
  },
  check: {
    brief: "find out what is wrong: configuration, DNS, TCP, TLS, token, ingest",
    usage: "otlp-histogram check [flags]",
    about: [
      "Runs these steps in order and stops at the first failure: config, dns, tcp, tls (https only), http, token, " +
      "ingest. Sends an empty export request, so nothing is stored.",
      "With a query token (DT_QUERY_TOKEN, --query-token-file) that can read settings, the step ingest also reports " +
      "whether the Dynatrace environment stores the buckets of histograms.",
    ],
    flags: "check",
    examples: [
      ["otlp-histogram check", "check what the environment and .env configure"],
      ["otlp-histogram check --canary", "also send one sample measurement"],
    ],
    statuses: [
      ["0", "every step passed"],
      ["1", "a step failed or was inconclusive"],
      ["2", "usage or configuration"],
    ],
  },
  verify: {
    brief: "send a marked histogram, then query the backend until it shows the same",
    usage: "otlp-histogram verify [flags]",
    about: [
      "Sends 20 known values as one histogram with the attribute otlp_histogram.run, then queries the backend until " +
      "everything that it shows agrees, or --wait is over. The steps are sent, visible, count, sum, min, max, " +
      "percentile and buckets; a step that the backend cannot answer is marked ?. When something is missing or " +
      "differs, further queries look for the cause.",
      "The backend follows from the endpoint for Dynatrace, VictoriaMetrics and Prometheus; behind a Collector, name " +
      "it with --query-url. The metric otlp_histogram.verify stays in the backend.",
    ],
    flags: "verify",
    examples: [
      ["otlp-histogram verify", "verify what the environment and .env configure"],
      [
        "otlp-histogram verify --endpoint http://localhost:4318 --query-url http://localhost:9090",
        "send to a Collector and query the Prometheus behind it",
      ],
      [
        "otlp-histogram verify --repeat 20 --interval 30 --output json",
        "measure the time from send to visible",
      ],
    ],
    statuses: [
      ["0", "the backend shows the count that was sent, and everything else that it shows agrees"],
      ["1", "a step failed, the count could not be read, or the run was interrupted"],
      ["2", "usage or configuration: nothing was sent"],
    ],
  },
  receive: {
    brief: "run a local receiver that checks, counts and draws the data it gets",
    usage: "otlp-histogram receive [flags] [-- COMMAND [ARG…]]",
    about: [
      "Runs a local OTLP/HTTP receiver that decodes, checks, counts and draws the data it gets. It accepts POST to any " +
      "path that ends in /v1/metrics: protobuf, plain or gzip, and without --rules dynatrace also OTLP/JSON, deflate " +
      "and zstd. Ctrl+C, --requests or --wait ends it, with a summary.",
      "With COMMAND it becomes a gate for your build: it runs COMMAND with OTEL_EXPORTER_OTLP_ENDPOINT set to itself " +
      "and ends when COMMAND ends. COMMAND has standard input and output; receive prints everything on standard error.",
      "Use --fail-on and --expect to fail the build. In GitHub Actions, receive also prints problems as annotations " +
      "and appends a table to the job summary (GITHUB_STEP_SUMMARY).",
      "--expect 'METRIC{KEY=VALUE,KEY} unit=s type=histogram temporality=delta count>=3 service.name=shop' requires an " +
      "accepted data point of METRIC with these attributes and conditions. Any other KEY=VALUE after the braces is a " +
      'resource attribute. Quote a value that contains a space, a comma or a quote: {KEY="a b"}.',
      "The rules of meaning also warn when the bounds of a histogram do not suit its unit or its values. Traces, logs " +
      "and profiles are accepted and discarded. GET /readyz answers 200.",
    ],
    flags: "receive",
    examples: [
      ["otlp-histogram receive --rules dynatrace", "check requests against Dynatrace's rules"],
      ["otlp-histogram receive --ui", "watch the data on a page, http://127.0.0.1:4318/"],
      [
        "otlp-histogram receive --rules dynatrace --fail-on error --expect job.duration -- npm test",
        "run your tests, and fail if their exporter breaks a rule or sends nothing",
      ],
      [
        "otlp-histogram receive --expect 'http.server.request.duration{http.route} unit=s count>=3' --junit metrics.xml",
        "expect attributes, a unit and a count, and write a report for Jenkins or GitLab",
      ],
      ["otlp-histogram receive --save requests.jsonl", "keep the requests, for send --replay"],
      ["otlp-histogram receive --respond 503,429:2,hang", "see how a sender handles failures"],
      ["otlp-histogram receive --exam", "test how an exporter handles nine kinds of trouble"],
    ],
    statuses: [
      ["0", "it was stopped, answered all --requests, or COMMAND exited with 0"],
      [
        "1",
        "a problem for --fail-on, or no metrics at all with it; an expected metric that is missing; a failed case of " +
        "--exam; the end of --wait before --requests or COMMAND was done; or a file of --save or --junit that cannot be " +
        "written",
      ],
      ["2", "usage or configuration"],
      ["other", "exit code of COMMAND: 127 if it was not found, 128+N if signal N ended it"],
    ],
  },
  plot: {
    brief: "draw measurements without sending them, and suggest buckets",
    usage: "otlp-histogram plot [flags]",
    about: [
      "Draws the histogram of each series, with percentiles of the values next to those that a receiver will estimate " +
      "from the buckets. It sends nothing and needs no endpoint. Ctrl+C ends the input and draws the measurements " +
      "read so far. The flags mean the same as for send. The rules of meaning warn when the bounds do not suit the " +
      "unit or the values.",
      "Without a data source, it draws the five built-in samples.",
    ],
    flags: "plot",
    examples: [
      [
        "otlp-histogram plot --input jobs.csv --value-field duration_ms --attr-field queue",
        "draw a column of a file, by queue",
      ],
      [
        "otlp-histogram plot --input durations.txt --suggest-buckets",
        "find the buckets that suit these values",
      ],
      [
        "otlp-histogram plot --input durations.txt --suggest-buckets --keep-bound 500",
        "find buckets that keep a bound at 500, for an SLO",
      ],
      [
        "otlp-histogram plot --input access.log --output scenario > day.json",
        "write a scenario that generates such data (--scenario day.json)",
      ],
      [
        "otlp-histogram plot --scenario latency-incident",
        "draw every phase of a scenario, here a built-in one",
      ],
      ["otlp-histogram plot --replay requests.jsonl", "draw the requests that receive --save kept"],
      [
        "grep POST access.ndjson | otlp-histogram plot --input - --output json",
        "print counts and percentiles as JSON",
      ],
    ],
    statuses: [
      ["0", "everything was read"],
      [
        "1",
        "a line of the input was invalid, or an error or a signal ended the input early",
      ],
      ["2", "usage or configuration"],
    ],
  },
  diff: {
    brief: "compare two captures, series by series and bucket by bucket",
    usage: "otlp-histogram diff [flags] A B",
    about: [
      "Compares the histograms of two files of OTLP/JSON, one request per line, as receive --save, send --dry-run and " +
      "a Collector's file exporter write them. - is standard input; gzip is recognised.",
      "Per metric, resource, scope and attributes it adds up delta data points and the increase of cumulative ones. " +
      "Then it compares count, sum and every bucket. The batching, order and times of the data points make no " +
      "difference. Sums agree within 1e-9 of their size. Other metric types are listed but not compared.",
    ],
    flags: "diff",
    examples: [
      [
        "otlp-histogram diff sent.jsonl received.jsonl",
        "find out what a Collector in between changed",
      ],
      [
        "otlp-histogram diff --ignore-resource --ignore-attr host.name before.jsonl after.jsonl",
        "compare two runs on different machines",
      ],
    ],
    statuses: [
      ["0", "the histograms are equal"],
      ["1", "they differ"],
      ["2", "usage, or an unreadable file"],
    ],
  },
  demo: {
    brief: "start a receiver, send to it three times, draw what arrived",
    usage: "otlp-histogram demo [flags]",
    about: [
      "Starts a receiver on a free port of this machine, sends to it three times, one second apart, and draws the " +
      "data that arrived. With --ui it keeps sending until Ctrl+C, serves a live page and prints its URL. It needs no " +
      "configuration and leaves nothing behind.",
    ],
    flags: "demo",
    examples: [["otlp-histogram demo --ui", "see the page of receive --ui with live data"]],
  },
  "merge-summaries": {
    brief: "merge the JSON summaries of many processes into one report",
    usage: "otlp-histogram merge-summaries [flags] FILE…|-",
    about: [
      "Reads the logs of processes that ran send --output json, and adds up their summaries. A file may hold one log " +
      "or many, with other lines between them and with the prefixes of kubectl logs --prefix. - is standard input; " +
      "gzip is recognised.",
      "Counts are added, and the elapsed time runs from the first start to the last end. Latency percentiles come " +
      "from the added histograms and are at most 4.5% off. With --output json, the report is itself a summary that " +
      "can be merged again.",
      "A pod or file without a summary, a missing or repeated shard, or a summary that is cut off is reported with a " +
      "warning, and the exit code is then at least 1.",
    ],
    flags: "merge-summaries",
    examples: [
      ["otlp-histogram merge-summaries shard-*.log", "merge the logs of several processes"],
      [
        "kubectl logs -l job-name=otlp-histogram-load --tail=-1 --prefix | otlp-histogram merge-summaries -",
        "merge the logs of a Job's pods",
      ],
    ],
    statuses: [
      ["0", "every process ended with 0, and none is missing"],
      ["1", "a process ended with 1, or the report is not complete"],
      ["2", "usage, a file that cannot be read, no summary, or a process ended with 2"],
      ["3", "a process ended with 3, and none with 1 or 2"],
    ],
  },
  help: {
    brief: "describe the program, or a command",
    usage: "otlp-histogram help [COMMAND]",
    about: [
      "Describes the program, or one command and its flags. COMMAND --help and -h do the same.",
    ],
    examples: [["otlp-histogram help receive", "describe receive"]],
  },
  version: {
    brief: "print the version",
    usage: "otlp-histogram version",
    about: ["Prints the version. --version and -V do the same."],
    examples: [],
  },
  completions: {
    brief: "print a script that completes commands, flags and files",
    usage: "otlp-histogram completions bash|zsh|fish|powershell",
    about: ["Prints a shell script that completes commands, flags, their values, and files."],
    examples: [
      ["source <(otlp-histogram completions bash)", "in ~/.bashrc"],
      ["source <(otlp-histogram completions zsh)", "in ~/.zshrc, after compinit"],
      ["otlp-histogram completions fish | source", "in ~/.config/fish/config.fish"],
      ["otlp-histogram completions powershell | Out-String | Invoke-Expression", "in $PROFILE"],
    ],
  },
};
