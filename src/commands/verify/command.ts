import { Console } from "../../console/console.ts";
import { readCredentials } from "../../http/credentials.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { UNVERIFIED_WARNING } from "../../http/tls_config.ts";
import { openTransport } from "../../http/transport.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { USER_AGENT } from "../../platform/version.ts";
import { findingText } from "../../receivers/finding.ts";
import { endpointFindings, RECEIVERS } from "../../receivers/profiles.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { variablesOf, type VerifyFlags } from "../../settings/settings.ts";
import { outputConfig } from "../../settings/output_config.ts";
import { conventionsFor } from "../../aggregate/metric_config.ts";
import type { SendConfig } from "../send_config.ts";
import { openBackend } from "../../receivers/query/open_backend.ts";
import { addQuerySecrets } from "../../receivers/query/query_config.ts";
import { runText, verifyStepJson, verifyStepText, verifySummaryLines } from "./report.ts";
import { type Verification, verifyRun } from "./run.ts";
import { areAllRight } from "./steps.ts";
import { verifyConfig, verifyFlags } from "./verify_config.ts";

/** Runs the command `verify`; resolves to its exit code. Throws a UsageError before anything is sent. */
export async function runVerify(flags: VerifyFlags, system: System): Promise<number> {
  const { format, level } = outputConfig(flags);
  const console = new Console(system, { format });
  // A variable for exponential buckets only leads to a warning.
  const variables = await readVariables(flags.envFile, system);
  const find = variablesOf("verify", variables, ["exponential"]);
  addKnownSecrets(system.secrets, flags, find, system.env);
  addQuerySecrets(system.secrets, flags, find);
  const conventions = await conventionsFor(verifyFlags(flags));
  const { send, query, waitMs, repeat, intervalMs } = verifyConfig(
    flags,
    find,
    system.env,
    conventions,
  );
  if (send.destination.tls.insecure) console.warn(UNVERIFIED_WARNING);
  const credentials = await readCredentials(send.destination, RECEIVERS.tokens, system);
  for (const warning of [...send.warnings, ...await findings(send, credentials)]) {
    console.warn(warning);
  }
  const record = level === "verbose"
    ? (line: string) => console.print({ out: [], err: [line] })
    : undefined;
  const { backend, close } = await openBackend(
    query,
    send.destination,
    credentials,
    record,
    system,
  );
  const transport = await openTransport(send.destination, credentials, USER_AGENT, system);
  const visible: number[] = [];
  let runs = 0;
  let failedRuns = 0;
  let isStored = false;
  const summarize = (exitCode: number) => {
    const { name: metric } = send.metric;
    const ok = exitCode === 0;
    const all = { ok, exitCode, backend: backend.name, metric, visible, repeat };
    const summary = { ...all, runs, failedRuns, isStored };
    console.print({ out: [verifySummaryLines(summary, format)], err: [] });
    return exitCode;
  };
  system.lastWords((why) => {
    console.error(why);
    summarize(1);
    return true;
  });
  const report = (run: number, { steps, visibleAfterMs, error }: Verification) => {
    if (error !== undefined) return console.error(error.message, error.hint);
    const isRight = areAllRight(steps);
    const out = format === "json"
      ? steps.map((step) => verifyStepJson(step, repeat > 1 ? run : undefined))
      : repeat === 1
      ? steps.map(verifyStepText)
      : [
        runText(run, repeat, isRight ? visibleAfterMs : undefined),
        ...steps.filter(({ ok }) => ok === false).map(verifyStepText),
      ];
    console.print({ out, err: [] });
  };
  try {
    for (let run = 1; run <= repeat && !system.stop.aborted; run++) {
      const began = system.clock.monotonic();
      const verification = await verifyRun(
        { send, backend, post: transport.post, waitMs, isFirst: run === 1 },
        console,
        system,
      );
      const { steps, visibleAfterMs, error } = verification;
      report(run, verification);
      if (error !== undefined) break;
      runs++;
      if (visibleAfterMs !== undefined) visible.push(visibleAfterMs);
      if (!areAllRight(steps)) failedRuns++;
      if (steps.some(({ name, ok }) => name === "sent" && ok === true)) isStored = true;
      if (run < repeat) {
        const spent = system.clock.monotonic() - began;
        await system.clock.sleep(Math.max(0, intervalMs - spent), system.stop);
      }
    }
    return summarize(failedRuns === 0 && runs === repeat ? 0 : 1);
  } finally {
    transport.close();
    close();
  }
}

/** Checks what is sent by the rules of the receiver's vendor; throws a UsageError for a host that takes no metrics. */
async function findings(
  send: SendConfig,
  credentials: Awaited<ReturnType<typeof readCredentials>>,
): Promise<readonly string[]> {
  const { endpoint } = send.destination;
  const ofHost = await endpointFindings(endpoint, "own-host");
  const fatal = ofHost.filter(({ level }) => level === "error").map(findingText);
  if (fatal.length > 0) throw new UsageError(`${fatal.join("\n")}\nNothing was sent`);
  const advice = await endpoint.profile.preflight({
    ...send,
    credentials,
    metrics: [send.metric.name],
  });
  return advice.findings.map(findingText);
}
