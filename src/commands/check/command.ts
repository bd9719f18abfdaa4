import {
  isUndecidedAnswer,
  judgeCanary,
  judgeHttp,
  judgeIngest,
  judgeToken,
  readPostResult,
} from "./answer_steps.ts";
import { checkConfig, type CheckSettings } from "./config_step.ts";
import { Console } from "../../console/console.ts";
import type { CheckFlags } from "../../settings/settings.ts";
import { targetOf } from "../../http/target.ts";
import { type Bounds, checkDns, checkTcp } from "./network_steps.ts";
import {
  checkSummaryJson,
  checkSummaryText,
  type CheckVerdict,
  stepJson,
  stepText,
} from "./report.ts";
import type { Step, StepName } from "./step.ts";
import { outputConfig } from "../../settings/output_config.ts";
import type { StoredMetric } from "../../receivers/profile.ts";
import type { System } from "../../platform/system.ts";
import { openTransport, type Transport } from "../../http/transport.ts";
import { gzip } from "../../otlp/gzip.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import { USER_AGENT } from "../../platform/version.ts";

/** Parts of the system that `check` uses. */
export type CheckSystem = Pick<
  System,
  "env" | "cwd" | "stdout" | "stderr" | "stop" | "clock" | "random" | "readTextFile" | "secrets"
>;

/** Step with its name, and the time in ms that its hints took and not the step itself. */
type NamedStep = readonly [name: StepName, step: Step, asideMs?: number];

/** Runs the command `check`, one step after the other until one fails; resolves to its exit code. */
export async function runCheck(flags: CheckFlags, system: CheckSystem): Promise<number> {
  const { format } = outputConfig(flags);
  const console = new Console(system, { format });
  let began = system.clock.monotonic();
  let verdict: CheckVerdict = true;
  let exitCode = 0;
  for await (const [name, step, asideMs = 0] of steps(flags, system)) {
    const now = system.clock.monotonic();
    const line = format === "json" ? stepJson : stepText;
    console.print({ out: [line(name, step, now - began - asideMs)], err: [] });
    began = now;
    if (step.ok === true) continue;
    verdict = step.ok;
    // A setting that is missing or wrong is a usage error, as it is for `send`.
    exitCode = name === "config" ? 2 : 1;
    if (step.ok === false) break;
  }
  const summary = format === "json"
    ? checkSummaryJson(verdict, exitCode)
    : checkSummaryText(verdict);
  console.print({ out: [summary], err: [] });
  return exitCode;
}

/** Takes each step only when the one before it was found good. */
async function* steps(
  { canary = false, ...flags }: CheckFlags,
  system: CheckSystem,
): AsyncGenerator<NamedStep> {
  const { step, settings } = await checkConfig(flags, system);
  yield ["config", step];
  if (settings === undefined) return;
  yield* connectionSteps(settings, system);
  const { destination } = settings.config;
  const transport = await openTransport(destination, settings.credentials, USER_AGENT, system);
  try {
    yield* requestSteps(settings, transport, system, { canary });
  } finally {
    transport.close();
  }
}

async function* connectionSteps(
  { config, credentials }: CheckSettings,
  system: CheckSystem,
): AsyncGenerator<NamedStep> {
  const { endpoint, timeoutMs } = config.destination;
  const bounds: Bounds = { timeoutMs, stop: system.stop };
  const target = endpoint.proxy ?? targetOf(endpoint.url);
  const { step, addresses } = await checkDns(target, endpoint, bounds);
  yield ["dns", step];
  yield ["tcp", await checkTcp(addresses, target, endpoint, bounds)];
  if (endpoint.url.protocol === "https:") {
    const { checkTls } = await import("./tls_step.ts");
    yield ["tls", await checkTls(config, credentials, bounds)];
  }
}

async function* requestSteps(
  settings: CheckSettings,
  transport: Transport,
  system: CheckSystem,
  { canary }: { readonly canary: boolean },
): AsyncGenerator<NamedStep> {
  const { config, credentials } = settings;
  const { endpoint, compression } = config.destination;
  const hide = (text: string) => system.secrets.hide(text);
  const post = async ({ body, encoding }: Posted) =>
    await readPostResult(
      await transport.post(body, encoding, system.stop),
      system.clock.wall(),
      hide,
    );
  const empty = await post(await emptyRequest(compression));
  const sample = canary ? await sampleRequest(config, system) : undefined;
  // A measurement decides what an empty request leaves open.
  const early = sample !== undefined && isUndecidedAnswer(empty)
    ? await post(sample.request)
    : undefined;
  const first = early ?? empty;
  const receiver = { endpoint, explainer: await endpoint.profile.explainer() };
  yield ["http", judgeHttp(first, receiver, system.clock.wall())];
  if (!("answer" in first)) return;
  const sent = await credentials.authorization() !== undefined;
  yield ["token", judgeToken(first, receiver, sent)];
  const ingest = judgeIngest(first, receiver);
  if (sample === undefined || (early === undefined && ingest.ok === false)) {
    yield await withSetting(ingest, settings, system);
    return;
  }
  const answer = early ?? await post(sample.request);
  yield await withSetting(judgeCanary(answer, sample.stored, receiver), settings, system);
}

/** Makes the step `ingest`; if it went well, with the setting that decides whether buckets are stored. */
async function withSetting(
  step: Step,
  { config: { destination }, credentials, query }: CheckSettings,
  system: CheckSystem,
): Promise<NamedStep> {
  if (query === undefined || step.ok !== true) return ["ingest", step];
  const began = system.clock.monotonic();
  const { withBucketSetting } = await import("./bucket_setting.ts");
  const more = await withBucketSetting(step, query, destination, credentials, system);
  return ["ingest", more, system.clock.monotonic() - began];
}

type Posted = Pick<EncodedRequest, "body" | "encoding">;

async function emptyRequest(compression: "gzip" | "none"): Promise<Posted> {
  const body = new Uint8Array();
  return compression === "none"
    ? { body, encoding: "identity" }
    : { body: await gzip(body), encoding: "gzip" };
}

/** Makes the request of one sample measurement, and what a query for it depends on. */
async function sampleRequest(
  { metric, destination: { compression } }: CheckSettings["config"],
  { clock, random }: CheckSystem,
): Promise<{ readonly request: Posted; readonly stored: StoredMetric }> {
  const { canary } = await import("./canary.ts");
  const { request, dimensions } = await canary(metric, compression, clock, random);
  const exponential = metric.bounds === "exponential";
  return { request, stored: { metric: metric.name, dimensions, exponential } };
}
