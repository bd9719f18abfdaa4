import assert from "node:assert/strict";
import type { FencedBlock } from "../docs/markdown.ts";
import {
  commandBlocks,
  outputOf,
  prepareDirectory,
  reasonNotRun,
  scriptOf,
  type StandIns,
} from "../docs/command_block.ts";
import { startDynatrace } from "../support/fake_dynatrace.ts";
import { gunzip } from "../support/gunzip.ts";
import { bareEnvironment, commandLine } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

// Every command of README and docs, against servers of this machine and the example files.

const AT_ONCE = 4;
const TIMEOUT_MS = 60_000;

/** Endpoint of a Prometheus client that counts one measurement more per scrape. */
function startExposition() {
  let scrapes = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const n = ++scrapes;
    return new Response(
      `# TYPE job_seconds histogram\njob_seconds_bucket{le="1"} ${n}\njob_seconds_bucket{le="+Inf"} ${n}\n` +
        `job_seconds_sum ${n / 2}\njob_seconds_count ${n}\n`,
    );
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/metrics`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const TOKEN = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;
const VERIFY_METRIC = new TextEncoder().encode("otlp_histogram.verify");

/** Accepts every export; an environment stores those of `verify` and answers all queries. */
function startFront(environment: string) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const isExport = pathname.endsWith("/v1/metrics");
    if (isExport && !includes(await gunzip(body), VERIFY_METRIC)) return new Response();
    const { method, headers } = request;
    const hasBody = method !== "GET";
    return await fetch(`${environment}${pathname}${search}`, {
      method,
      headers,
      ...hasBody && { body },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(new TextDecoder("latin1").decode(part));
}

/** Runs a block in a directory of its own; returns what is wrong, or nothing. */
async function problemOf(block: FencedBlock, standIns: StandIns): Promise<string | undefined> {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-docs-" });
  try {
    await prepareDirectory(directory, commandLine());
    const bare = bareEnvironment();
    const script = scriptOf(block, standIns);
    const { code, stdout, stderr } = await new Deno.Command("timeout", {
      args: [`${TIMEOUT_MS / 1000}`, "bash", "-e", "-o", "pipefail", "-c", `${script}\nwait`],
      cwd: directory,
      clearEnv: true,
      env: {
        ...bare,
        PATH: `${directory}/bin:${bare["PATH"]}`,
        NO_COLOR: "1",
        DT_ENDPOINT: `${standIns.dynatrace}/e/abc12345/api/v2/otlp`,
        DT_API_TOKEN: TOKEN,
        DT_QUERY_TOKEN: TOKEN.replace("dt0c01", "dt0s16"),
        OTLP_HISTOGRAM_QUERY_URL: standIns.dynatrace,
      },
      stdin: "null",
    }).output();
    const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const where = `${block.page}:${block.line}\n${script}\n`;
    if (code !== 0) return `${where}exit code ${code}\n${output}`;
    if (block.language !== "console") return undefined;
    const missing = missingLines(block, output);
    return missing.length === 0
      ? undefined
      : `${where}prints no such line:\n${missing.join("\n")}\nbut\n${output}`;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/**
 * Lines of a transcript that the output does not have. The text after `…` may differ, and so may figures, unless the
 * command draws a file.
 */
function missingLines({ text }: FencedBlock, output: string): readonly string[] {
  const isExact = text.startsWith("$ otlp-histogram plot --input");
  const comparable = (line: string) => withoutBars(isExact ? line : withoutFigures(line));
  const printed = output.split("\n").map(comparable);
  return outputOf(text).filter((line) => {
    const isCut = line.endsWith("…");
    const start = comparable(line.replace(/…$/, ""));
    return !printed.some((each) => isCut ? each.startsWith(start) : each === start);
  });
}

function withoutBars(line: string): string {
  return line.replaceAll(/[█▉▊▋▌▍▎▏]+/g, "").replaceAll(" %", "%").replaceAll(/\s+/g, " ").trim();
}

function withoutFigures(line: string): string {
  return line.replaceAll(/\S*http:\/\/\S+|https:\/\/\S+/g, "URL")
    .replaceAll(/[-+<]?\d[\d.,:]*(?: (?:ms|s|min)\b)?/g, "#");
}

Deno.test("the commands of README and docs run, and print what the pages show", async () => {
  await using environment = startDynatrace();
  await using dynatrace = startFront(environment.url);
  await using receiver = await startReceiver();
  await using exposition = startExposition();
  const standIns = { dynatrace: dynatrace.url, receiver: receiver.url, exposition: exposition.url };
  const only = Deno.env.get("OTLP_HISTOGRAM_DOCS_PAGE") || undefined;
  const blocks = (await commandBlocks()).filter((block) =>
    reasonNotRun(block) === undefined && (only === undefined || block.page === only)
  );
  const problems: string[] = [];
  const waiting = blocks.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const block of waiting) {
      const problem = await problemOf(block, standIns);
      if (problem !== undefined) problems.push(problem);
    }
  }));
  if (problems.length > 0) throw new Error(problems.join("\n\n"));
  assert.ok(only !== undefined || blocks.length > 35, `${blocks.length} blocks`);
});
