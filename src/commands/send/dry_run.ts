import { type DryRunConfig, dryRunConfig } from "../send_config.ts";
import { conventionsFor } from "../../aggregate/metric_config.ts";
import type { Console } from "../../console/console.ts";
import { documentTexts } from "../../console/lines.ts";
import { endpointOf } from "../../http/destination_config.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { ONE_REQUEST } from "../../otlp/request.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import type { Advice, ReceiverProfile } from "../../receivers/profile.ts";
import { endpointFindings, RECEIVERS } from "../../receivers/profiles.ts";
import type { Variables } from "../../settings/setting.ts";
import type { SendFlags } from "../../settings/settings.ts";
import { openRecording, type Recording } from "../../source/open.ts";
import { cutShortText, dataFindingTexts, FindingFilter } from "../findings.ts";
import { serviceNote } from "./service_note.ts";
import { tellFindings } from "./tell_findings.ts";

// Only --dry-run needs it: import this module dynamically.

/** Prints the request of one send, as OTLP/JSON, and sends nothing; resolves to the exit code. */
export async function dryRun(
  flags: SendFlags,
  variables: Variables,
  console: Console,
  system: System,
): Promise<number> {
  const config: DryRunConfig = dryRunConfig(flags, variables, await conventionsFor(flags));
  config.warnings.forEach(console.warn);
  const recording = await openRecording(config, system, console, { inOne: true });
  try {
    const endpoint = endpointNamed(flags, variables, system);
    const advice = await dryRunAdvice(recording, config, endpoint);
    // The preflight of a vendor's profile looks at its URL.
    const ofHost = endpoint !== undefined && endpoint.profile.vendor === undefined
      ? await endpointFindings(endpoint, "own-host")
      : [];
    tellFindings([...ofHost, ...advice?.findings ?? []], config, console);
    await recording.source.fill(recording.records, Infinity, system.stop);
    recording.source.close();
    recording.requests.finish();
    const { requests: [request], findings, measured } = await recording.requests.produce({
      limits: ONE_REQUEST,
      compression: "none",
    });
    serviceNote(recording, console)();
    if (advice !== undefined && request !== undefined) {
      const now = system.clock.wall();
      const untimely = advice.untimely(measured, now);
      const found = [...untimely, ...await advice.review([request], now, untimely)];
      // A send splits its data into requests that are small enough.
      tellFindings(found.filter(({ rule }) => !rule.startsWith("request-")), config, console);
    }
    const worthReporting = new FindingFilter().worthReporting(
      findings,
      request?.measurements ?? 0,
      true,
    );
    for (const finding of worthReporting) {
      dataFindingTexts(finding, { input: config.source.kind === "input" }).forEach(console.warn);
    }
    const { otlpJsonTexts } = await import("../../otlp/json.ts");
    await console.stream(documentTexts(await otlpJsonTexts(request)), system.printed);
    if (config.plot !== undefined && request !== undefined) {
      const { dryRunPlot } = await import("./drawing.ts");
      // Standard output holds the one document, and nothing else.
      console.print({ out: [], err: await dryRunPlot(request, config.plot, system) });
    }
    const { invalid, broken, matchesNothing, unfinished } = recording.source.status;
    if (broken !== undefined) {
      throw new UsageError(`Could not read the rest of the input: ${broken}`);
    }
    const progress = system.stop.aborted ? unfinished : undefined;
    if (progress !== undefined) console.error(cutShortText(progress));
    return invalid > 0 || matchesNothing || progress !== undefined ? 1 : 0;
  } finally {
    recording.close();
  }
}

/** Endpoint that a send would have; undefined while none is set, or the setting has to be corrected before a send. */
function endpointNamed(
  flags: SendFlags,
  variables: Variables,
  { env }: System,
): Endpoint<ReceiverProfile> | undefined {
  try {
    return endpointOf(flags, variables, env, RECEIVERS);
  } catch (thrown) {
    if (thrown instanceof UsageError) return undefined;
    throw thrown;
  }
}

/** Advice of the receiver at an endpoint, without the rules about a token: a dry run needs none. */
async function dryRunAdvice(
  { metrics }: Recording,
  config: DryRunConfig,
  endpoint: Endpoint<ReceiverProfile> | undefined,
): Promise<Advice | undefined> {
  return await endpoint?.profile.preflight({
    ...config,
    metrics,
    destination: { endpoint, authorization: { kind: "none" } },
    credentials: { authorization: () => Promise.resolve(undefined) },
  });
}
