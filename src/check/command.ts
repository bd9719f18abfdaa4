import { answered, judgeHttp, judgeIngest, judgeToken } from "./answer_steps.ts";
import { checkConfig, type Configured } from "./config_step.ts";
import type { CheckFlags } from "../config/settings.ts";
import { targetOf } from "../http/target.ts";
import { type Bounds, checkDns, checkTcp } from "./network_steps.ts";
import { stepJson, stepText, summaryJson, summaryText } from "./report.ts";
import { failed, passed, type Step, type StepName } from "./step.ts";
import { outputConfig } from "../config/output_config.ts";
import { explain, whereToLook } from "../dynatrace/explain.ts";
import { statusHint } from "../http/hints.ts";
import type { System } from "../base/system.ts";
import { proxyFor } from "../config/proxy.ts";
import type { Failure, Reply } from "../http/reply.ts";
import { openTransport, type Transport } from "../http/transport.ts";
import { gzip } from "../otlp/gzip.ts";
import type { EncodedRequest } from "../otlp/request.ts";
import { USER_AGENT } from "../base/version.ts";

/** What `check` touches of the world. */
export type CheckSystem = Pick<
  System,
  "env" | "cwd" | "stdout" | "stop" | "clock" | "random" | "readTextFile" | "secrets"
>;

type NamedStep = readonly [name: StepName, step: Step];
type Settings = NonNullable<Configured["settings"]>;

/** The command `check`: one step after the other until one fails; resolves to its exit status. */
export async function runCheck(flags: CheckFlags, system: CheckSystem): Promise<number> {
  const { format } = outputConfig(flags);
  let began = system.clock.monotonic();
  let exitCode = 0;
  for await (const [name, step] of steps(flags, system)) {
    const now = system.clock.monotonic();
    const line = format === "json" ? stepJson : stepText;
    system.stdout(`${line(name, step, now - began)}\n`);
    began = now;
    if (!step.ok) {
      // A setting that is missing or wrong is a usage error, as it is for `send`.
      exitCode = name === "config" ? 2 : 1;
      break;
    }
  }
  system.stdout(`${format === "json" ? summaryJson(exitCode) : summaryText(exitCode)}\n`);
  return exitCode;
}

/** Does what comes after a step only when that step has been taken and found good. */
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
    yield* requestSteps(settings, canary, transport, system);
  } finally {
    transport.close();
  }
}

async function* connectionSteps(
  { config, credentials }: Settings,
  system: CheckSystem,
): AsyncGenerator<NamedStep> {
  const { endpoint, timeoutMs } = config.destination;
  const bounds: Bounds = { timeoutMs, stop: system.stop };
  const proxy = proxyFor(endpoint.url, system.env);
  const target = targetOf(endpoint.url, proxy);
  const { step, addresses } = await checkDns(target, endpoint, bounds);
  yield ["dns", step];
  yield ["tcp", await checkTcp(addresses, target, endpoint, bounds)];
  if (endpoint.url.protocol === "https:") {
    const { checkTls } = await import("./tls_step.ts");
    yield ["tls", await checkTls(config, credentials, proxy, bounds)];
  }
}

async function* requestSteps(
  { config, credentials }: Settings,
  withCanary: boolean,
  transport: Transport,
  system: CheckSystem,
): AsyncGenerator<NamedStep> {
  const { endpoint, compression } = config.destination;
  const hide = (text: string) => system.secrets.hide(text);
  const post = ({ body, encoding }: Posted) => transport.post(body, encoding, system.stop);
  const it = await answered(await post(await emptyRequest(compression)), system.clock.wall(), hide);
  yield ["http", judgeHttp(it, endpoint, system.clock.wall())];
  if (!("answer" in it)) return;
  const sent = await credentials.authorization() !== undefined;
  yield ["token", judgeToken(it, endpoint, sent)];
  const { inconclusive, ...ingest } = judgeIngest(it, endpoint);
  yield [
    "ingest",
    withCanary && ingest.ok
      ? await sendCanary(config, inconclusive ? "" : `${ingest.detail}; `, post, system)
      : ingest,
  ];
}

type Posted = Pick<EncodedRequest, "body" | "encoding">;

async function emptyRequest(compression: "gzip" | "none"): Promise<Posted> {
  const body = new Uint8Array();
  return compression === "none"
    ? { body, encoding: "identity" }
    : { body: await gzip(body), encoding: "gzip" };
}

/** Sends one sample measurement; nothing but its being accepted will do. */
async function sendCanary(
  { metric, destination: { endpoint, compression } }: Settings["config"],
  before: string,
  post: (request: Posted) => Promise<Reply | Failure>,
  system: CheckSystem,
): Promise<Step> {
  const { canary } = await import("./canary.ts");
  const { request, dimensions } = await canary(metric, compression, system.clock, system.random);
  const it = await answered(
    await post(request),
    system.clock.wall(),
    (text) => system.secrets.hide(text),
  );
  const what = `one sample measurement of ${metric.name}`;
  if (!("answer" in it)) return failed(`${what}: ${it.reply.message}`);
  const { reply, answer } = it;
  if (answer.kind === "accepted") {
    const warning = answer.warning === undefined ? "" : `, with a warning: ${answer.warning}`;
    const exponential = metric.bounds === "exponential";
    const shown = { metric: metric.name, dimensions, exponential };
    const where = endpoint.dynatrace ? whereToLook(shown) : [];
    return passed(
      `${before}${what} was accepted${warning}`,
      ...where,
      ...explain(answer.warning ?? ""),
    );
  }
  return failed(
    `${what} was not accepted: ${answer.message}`,
    ...explain(answer.message, reply.headers),
    answer.kind === "partial" ? undefined : statusHint(reply.status, reply.headers, endpoint),
  );
}
