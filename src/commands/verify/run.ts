import type { Console } from "../../console/console.ts";
import { counted } from "../../console/plural.ts";
import { oneLine } from "../../console/escape.ts";
import type { Post } from "../../http/reply.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import type {
  Backend,
  Cause,
  QueryRefusal,
  QueryTrouble,
  ShownHistogram,
} from "../../receivers/backend.ts";
import type { SendConfig } from "../send_config.ts";
import { type MarkedHistogram, RUN_ATTRIBUTE, verifyCanary } from "./canary.ts";
import { durationText } from "./report.ts";
import { sendOnce, type SentResult } from "./sending.ts";
import { areAllRight, figureSteps, type VerifyStep, withCause } from "./steps.ts";
import { limited, type Watched, watchRun } from "./watch.ts";

/** Result of one run: its steps, and how long it took to become visible. */
export interface Verification {
  readonly steps: readonly VerifyStep[];
  /** Time in ms from the receiver's acceptance to the first answer that agreed; undefined if none did. */
  readonly visibleAfterMs: number | undefined;
  /** Why nothing was sent. */
  readonly error?: { readonly message: string; readonly hint: string | undefined };
}

/** Parts of a run. */
export interface RunParts {
  readonly send: SendConfig;
  readonly backend: Backend;
  readonly post: Post;
  readonly waitMs: number;
  /** Whether the query API was not asked before. */
  readonly isFirst: boolean;
}

/** Longest time in ms of the first query. */
const FIRST_LOOK_MS = 15_000;
/** Longest time in ms that the search for a cause takes. */
const DIAGNOSIS_MS = 30_000;

/** Sends one marked histogram and waits for it. Throws a UsageError if the query API refuses to answer. */
export async function verifyRun(
  { send, backend, post, waitMs, isFirst }: RunParts,
  console: Console,
  system: System,
): Promise<Verification> {
  const { clock, random, stop } = system;
  const { metric, destination: { compression, endpoint }, keep: { retryForMs } } = send;
  const canary = await verifyCanary(metric, runId(clock.wall(), random), compression, clock);
  if (isFirst) {
    const error = await firstLook(backend, canary, waitMs, console.warn, system);
    if (error !== undefined) return { steps: [], visibleAfterMs: undefined, error };
  }
  const sent = await sendOnce(canary.request, post, retryForMs, system, console.warn);
  const explainer = await endpoint.profile.explainer();
  const sentStep = sendStep(canary, sent, (trouble, words) => [
    explainer.hint(trouble, endpoint, words),
    ...explainer.reasons(words),
  ]);
  if (sentStep.ok !== true) return { steps: [sentStep], visibleAfterMs: undefined };
  const watched = await watchRun(backend, canary.run, {
    waitMs,
    clock,
    stop,
    agrees: (histogram) => areAllRight(figureSteps(canary, histogram, backend)),
    progress: (histogram, elapsedMs) => {
      if (!system.stderrIsTerminal) return;
      console.status(progressText(canary, backend, histogram, elapsedMs, waitMs));
    },
  });
  console.clear();
  const { histogram, agreedMs } = watched;
  const steps = [
    sentStep,
    visibleStep(canary, watched, backend, waitMs),
    ...histogram === undefined ? [] : figureSteps(canary, histogram, backend),
  ];
  return {
    steps: withCause(steps, await causeOf(backend, canary, watched, steps, system), backend.cannot),
    visibleAfterMs: agreedMs,
  };
}

/** Makes an identifier that no other run has. */
function runId(now: number, random: () => number): string {
  const digits = (value: number, length: number) =>
    Math.floor(value).toString(36).padStart(length, "0");
  return digits(now, 9) + digits(random() * 36 ** 7, 7);
}

/** Tries the URL and the token before anything is sent. Returns why nothing should be sent, if so. */
async function firstLook(
  backend: Backend,
  { run }: MarkedHistogram,
  waitMs: number,
  warn: (message: string) => void,
  { clock, stop }: Pick<System, "clock" | "stop">,
): Promise<Verification["error"]> {
  const limitMs = Math.min(waitMs, FIRST_LOOK_MS);
  using limit = limited(limitMs, clock, stop);
  const sighting = await backend.find(run, clock.wall(), limit.signal);
  if (stop.aborted) return { message: "Interrupted. Nothing was sent", hint: undefined };
  const where = `The query API at ${backend.shown}`;
  if (sighting.kind === "refused") {
    const hint = sighting.hint === undefined ? "" : `\n  Hint: ${sighting.hint}`;
    throw new UsageError(`${where} refused a query: ${sighting.message}${hint}\nNothing was sent`);
  }
  if (sighting.kind !== "trouble") return undefined;
  if (!sighting.isUnreachable) {
    warn(`${where} has not answered the first query: ${sighting.message}`);
    return undefined;
  }
  if (limit.signal.aborted) {
    return {
      message: `${where} has not responded within ${durationText(limitMs)}. Nothing was sent`,
      hint: "check firewall and proxy (HTTPS_PROXY)" +
        (waitMs < FIRST_LOOK_MS ? ", or increase --wait" : ""),
    };
  }
  return {
    message: `${where} cannot be reached: ${sighting.message}. Nothing was sent`,
    hint: sighting.hint,
  };
}

type HintsFor = (
  trouble: NonNullable<SentResult["result"]>["trouble"],
  words: string,
) => readonly (string | undefined)[];

function sendStep(
  { run }: MarkedHistogram,
  { result, attempts, durationMs }: SentResult,
  hintsFor: HintsFor,
): VerifyStep {
  const what = `${
    counted(run.count, "measurement")
  } of ${run.metric} with ${RUN_ATTRIBUTE}=${run.id}`;
  const isAccepted = result?.outcome === "accepted";
  const words = result?.message ?? "";
  const tries = attempts === 1 ? "" : ` after ${counted(attempts, "attempt")}`;
  const hints = isAccepted || result === undefined ? [] : hintsFor(result.trouble, words);
  const hint = hints.filter((line) => line !== undefined).join("\n");
  const status = result?.status ?? null;
  return {
    name: "sent",
    ok: isAccepted,
    expected: "accepted",
    actual: result?.outcome ?? null,
    detail: isAccepted
      ? `${what}: accepted${status === null ? "" : ` with ${status}`}${tries}${
        words === "" ? "" : `; ${oneLine(words)}`
      }`
      : `${what}: ${result?.outcome ?? "interrupted"}${tries}${
        words === "" ? "" : `: ${oneLine(words)}`
      }`,
    hint: hint === "" ? null : hint,
    durationMs,
  };
}

function visibleStep(
  { run }: MarkedHistogram,
  watched: Watched,
  backend: Backend,
  waitMs: number,
): VerifyStep {
  const { histogram, firstMs, elapsedMs, end, failure, polls } = watched;
  const asked = `${counted(polls, "poll")} in ${durationText(elapsedMs)}`;
  const reason = end === "interrupted"
    ? "interrupted"
    : failure !== undefined
    ? `the last query failed: ${failure.message}`
    : `not visible within ${durationText(waitMs)} (--wait)`;
  const missing = run.attributes.filter((key) =>
    histogram?.dimensions !== undefined &&
    !backend.spellings(key).some((spelling) => histogram.dimensions?.includes(spelling))
  );
  const hints = [
    ...missing.length === 0 ? [] : [
      `the backend does not show ${
        missing.join(", ")
      } (--attr): check which attributes it stores, and the ` +
      "attributes processors of a Collector",
    ],
    ...failure === undefined ? [] : failureHints(failure),
  ];
  return {
    name: "visible",
    ok: histogram !== undefined && end !== "interrupted" && failure === undefined,
    expected: run.count,
    actual: histogram?.count ?? null,
    detail: histogram === undefined
      ? `${reason}; ${asked}`
      : end === "interrupted" || failure !== undefined
      ? `${histogram.metric} in ${backend.name}; ${reason}; ${asked}`
      : `${histogram.metric} in ${backend.name}; ${asked}`,
    hint: hints.length === 0 ? null : hints.join("\n"),
    durationMs: firstMs ?? elapsedMs,
  };
}

function failureHints({ kind, hint }: QueryTrouble | QueryRefusal): readonly string[] {
  if (hint !== undefined) return [hint];
  return kind === "trouble"
    ? ["the query API may answer later: run verify again, with a longer --wait"]
    : ["the query API does not accept the query: --verbose prints it, and the response"];
}

/** Looks for the cause of whatever is missing or differs, unless the query API itself is the trouble. */
async function causeOf(
  backend: Backend,
  { run }: MarkedHistogram,
  { histogram, end, failure }: Watched,
  steps: readonly VerifyStep[],
  { clock, stop }: Pick<System, "clock" | "stop">,
): Promise<Cause | undefined> {
  const isIncomplete = steps.some(({ name, ok }) =>
    ok === false || (ok === null && name !== "sent" && name !== "visible" &&
      backend.cannot[name] === undefined)
  );
  if (!isIncomplete || failure !== undefined || end === "interrupted" || stop.aborted) {
    return undefined;
  }
  using limit = limited(DIAGNOSIS_MS, clock, stop);
  const cause = await backend.diagnose(run, histogram, clock.wall(), limit.signal);
  return cause ?? (steps.some(({ ok }) => ok === false) ? UNKNOWN_CAUSE : undefined);
}

/** Cause of a figure that differs for no reason that a query shows. */
const UNKNOWN_CAUSE: Cause = {
  id: "unknown",
  message: "no query shows why it differs",
  remedy:
    "look for a processor of a Collector that changes values; --verbose prints every query and its response",
};

function progressText(
  { run }: MarkedHistogram,
  { name }: Backend,
  histogram: ShownHistogram | undefined,
  elapsedMs: number,
  waitMs: number,
): string {
  const count = histogram?.count ?? 0;
  return `Waiting for ${name}: ${count} of ${counted(run.count, "measurement")}, ${
    durationText(elapsedMs)
  } of ${durationText(waitMs)}`;
}
