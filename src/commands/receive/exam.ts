import { counted } from "../../console/plural.ts";
import { toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../../platform/clock.ts";
import { metricsIn } from "../../otlp/data_points.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { COUNTED_TWICE, EXAM_CASES, type ExamCase, type ExamTrouble } from "./exam_cases.ts";
import type { Verdict } from "../../receivers/profile.ts";
import { temporalityOf } from "./metric_list.ts";

/** Time without a repetition after which a request counts as not repeated, in ms. */
const SILENCE_MS = 5000;
/** Part of a Retry-After that timers may be early, in ms. */
const TIMER_SLACK_MS = 50;

/** Judgement of one case; `ok` is null when the exporter did not come to it, or the run ended too early to tell. */
export interface ExamVerdict {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

/** Answer of an exam to one request. */
export interface Examination {
  readonly trouble: ExamTrouble;
  /** Call it when the client of a `hang` has given up. */
  readonly givenUp: () => void;
}

/** Decoded request, and what the judge would answer. */
export interface ExaminedRequest {
  readonly request: ExportMetricsServiceRequest;
  readonly verdict: Pick<Verdict, "points" | "status">;
}

/** Request that got the trouble of a case, and what came of it. Times are those of the monotonic clock. */
interface Attempt {
  readonly examCase: ExamCase;
  /** Decoded request in one encoding, whatever it came in. */
  readonly content: Uint8Array;
  /** Whether the request holds deltas, which exist only once. */
  readonly holdsDeltas: boolean;
  readonly arrivedAt: number;
  /** Time at which the exporter could know of the trouble; undefined while a `hang` lasts. */
  troubledAt: number | undefined;
  isSilent: boolean;
  readonly repeats: { readonly at: number; readonly isAccepted: boolean }[];
}

/**
 * Exam of an exporter: each new request gets the next trouble of a fixed list, a repeated one is judged as usual. A
 * request is the same when its decoded content is.
 */
export class Exam {
  /** Resolves when every case has its verdict. */
  readonly over: Promise<void>;
  readonly #clock: Clock;
  readonly #cases: readonly ExamCase[];
  readonly #attempts: Attempt[] = [];
  readonly #end = Promise.withResolvers<void>();
  readonly #stopped = new AbortController();

  constructor(clock: Clock, cases: readonly ExamCase[] = EXAM_CASES) {
    this.#clock = clock;
    this.#cases = cases;
    this.over = this.#end.promise;
  }

  /**
   * Decides on the response to a request that arrived at `arrivedAt`; undefined leaves it to the judge. Requests without
   * data points, which cannot be told apart, are not examined.
   */
  examine(
    { request, verdict }: ExaminedRequest,
    arrivedAt: number,
  ): Examination | undefined {
    if (verdict.points === 0) return undefined;
    const content = toBinary(ExportMetricsServiceRequestSchema, request);
    const known = this.#attempts.find((attempt) => hasBytes(attempt.content, content));
    if (known !== undefined) {
      // A client that sends again has given up, whether or not the end of its connection is known yet.
      known.troubledAt ??= arrivedAt;
      known.repeats.push({ at: arrivedAt, isAccepted: verdict.status === 200 });
      this.#settle();
      return undefined;
    }
    const examCase = this.#cases[this.#attempts.length];
    if (examCase === undefined) return undefined;
    const attempt: Attempt = {
      examCase,
      content,
      holdsDeltas: [...metricsIn(request)].some((metric) => temporalityOf(metric) === "delta"),
      arrivedAt,
      troubledAt: undefined,
      isSilent: false,
      repeats: [],
    };
    this.#attempts.push(attempt);
    const { trouble } = examCase;
    if (trouble.kind !== "hang") this.#trouble(attempt);
    return { trouble, givenUp: () => this.#trouble(attempt) };
  }

  /** Ends the waiting for silence, and returns a verdict per case. An exporter that has ended can repeat nothing. */
  end({ hasExporterEnded }: { readonly hasExporterEnded: boolean }): readonly ExamVerdict[] {
    this.#stopped.abort();
    const now = this.#clock.monotonic();
    return this.#cases.map(({ name }, i) => {
      const attempt = this.#attempts[i];
      return attempt === undefined
        ? { name, ok: null, detail: "No request reached this case." }
        : { name, ...verdictOf(attempt, now, hasExporterEnded) };
    });
  }

  #trouble(attempt: Attempt): void {
    if (attempt.troubledAt !== undefined) return;
    attempt.troubledAt = this.#clock.monotonic();
    const { signal } = this.#stopped;
    this.#clock.sleep(retryAfterOf(attempt.examCase) + SILENCE_MS, signal).then(() => {
      if (signal.aborted) return;
      attempt.isSilent = true;
      this.#settle();
    });
  }

  #settle(): void {
    const isSettled = this.#cases.every((_, i) => {
      const attempt = this.#attempts[i];
      return attempt !== undefined && (attempt.isSilent || attempt.repeats.length > 0);
    });
    if (isSettled) this.#end.resolve();
  }
}

/** Returns the reason for which the failed cases of an exam fail the run, or nothing. */
export function examFailures(verdicts: readonly ExamVerdict[]): string[] {
  const failed = verdicts.filter(({ ok }) => ok === false).map(({ name }) => name);
  if (failed.length === 0) return [];
  return [`--exam: ${counted(failed.length, "case")} failed: ${failed.join(", ")}`];
}

function hasBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Returns the wait that a case asks for, in ms. */
function retryAfterOf({ trouble }: ExamCase): number {
  return trouble.kind === "status" ? (trouble.retryAfter ?? 0) * 1000 : 0;
}

function verdictOf(
  attempt: Attempt,
  now: number,
  hasExporterEnded: boolean,
): Omit<ExamVerdict, "name"> {
  const { examCase, arrivedAt, troubledAt, isSilent, repeats: [first, second] } = attempt;
  const { expects, specification, kept, broken } = examCase;
  if (troubledAt === undefined) {
    return {
      ok: null,
      detail: `The exporter was still waiting when the run ended, after ${
        seconds(now - arrivedAt)
      }.`,
    };
  }
  const trouble = examCase.trouble.kind === "hang"
    ? `giving up ${seconds(troubledAt - arrivedAt)} after the request`
    : examCase.after;
  const verdict = (ok: boolean, did: string, meaning: string) => ({
    ok,
    detail: `The exporter ${did}. ${specification} ${meaning}`,
  });
  const harm = attempt.holdsDeltas ? broken.delta : broken.cumulative;
  if (first === undefined) {
    const waited = now - troubledAt;
    if (!isSilent && !hasExporterEnded) {
      return {
        ok: null,
        detail: `The run ended ${seconds(waited)} after ${trouble}, too early for a verdict.`,
      };
    }
    const isFine = expects === "no-repeat";
    const within = isSilent ? `within ${seconds(waited)}` : "before it ended";
    return verdict(
      isFine,
      `did not send the request again ${within} after ${trouble}`,
      isFine ? kept : harm,
    );
  }
  const waited = Math.max(0, first.at - troubledAt);
  const again = `sent the request again ${seconds(waited)} after ${trouble}`;
  if (expects === "no-repeat") return verdict(false, again, harm);
  if (waited < retryAfterOf(examCase) - TIMER_SLACK_MS) {
    return verdict(
      false,
      again,
      "A receiver that asks for time gets more load, and may drop data.",
    );
  }
  if (second !== undefined && first.isAccepted) {
    const twice = attempt.holdsDeltas ? COUNTED_TWICE.delta : COUNTED_TWICE.cumulative;
    return verdict(false, `${again}, and once more after it was accepted`, twice);
  }
  return verdict(true, again, kept);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
