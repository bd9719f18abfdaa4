import { counted } from "../../console/plural.ts";
import { oneLine } from "../../console/escape.ts";
import {
  type Backend,
  type Cause,
  type Figure,
  FIGURES,
  type ShownHistogram,
} from "../../receivers/backend.ts";
import type { ExpectedHistogram, MarkedHistogram } from "./canary.ts";

/** Names of the steps, in order. */
export type VerifyStepName = "sent" | "visible" | Figure;

/** Value of a step for programs. */
export type StepValue = number | string | readonly number[] | null;

/** Outcome of a step. */
export interface VerifyStep {
  readonly name: VerifyStepName;
  /** Null: the backend cannot answer. */
  readonly ok: boolean | null;
  readonly expected: StepValue;
  readonly actual: StepValue;
  readonly detail: string;
  readonly hint: string | null;
  /** Time that it took, where it took any. */
  readonly durationMs: number | null;
}

/** Largest relative difference of figures that are the same number. */
const SAME = 1e-9;
/** Accuracy of percentiles in Grail ("Metric commands": about 2.2%). */
const PERCENTILE_ACCURACY = 0.022;

/** Compares every figure of a histogram that a backend shows with those that were sent. */
export function figureSteps(
  { expected }: Pick<MarkedHistogram, "expected">,
  histogram: ShownHistogram,
  backend: Pick<Backend, "cannot" | "hasVagueExtremes">,
): readonly VerifyStep[] {
  return FIGURES.map((name) => {
    const { ok, actual, detail } = compared(name, expected, histogram, backend);
    const note = histogram.notes[name];
    return {
      name,
      ok,
      expected: expectedFigure(name, expected),
      actual,
      detail: note === undefined || ok === null ? detail : `${detail} (${note})`,
      hint: null,
      durationMs: null,
    };
  });
}

function expectedFigure(name: Figure, { buckets, median, ...plain }: ExpectedHistogram): StepValue {
  if (name === "buckets") return buckets.map(({ count }) => count);
  return name === "percentile" ? median : plain[name];
}

type Compared = Pick<VerifyStep, "ok" | "actual" | "detail">;

function compared(
  name: Figure,
  expected: ExpectedHistogram,
  histogram: ShownHistogram,
  { cannot, hasVagueExtremes }: Pick<Backend, "cannot" | "hasVagueExtremes">,
): Compared {
  if (name === "buckets") return comparedBuckets(expected, histogram, cannot);
  const actual = histogram[name];
  if (actual === undefined) {
    const why = cannot[name] ?? histogram.notes[name] ?? "the backend shows none";
    return { ok: null, actual: null, detail: why };
  }
  if (name === "percentile") {
    const { lower, upper } = expected.medianBucket;
    const ok = actual >= lower * (1 - PERCENTILE_ACCURACY) &&
      actual <= upper * (1 + PERCENTILE_ACCURACY);
    const where = `the bucket of the median, ${figureText(lower)} to ${figureText(upper)}`;
    return {
      ok,
      actual,
      detail: `p50 is ${figureText(actual)}, ${ok ? "inside" : "outside"} ${where}`,
    };
  }
  const value = expected[name];
  if (isSameFigure(actual, value)) return { ok: true, actual, detail: figureText(actual) };
  if ((name === "min" || name === "max") && hasVagueExtremes && isBound(actual, expected)) {
    return {
      ok: null,
      actual,
      detail:
        `${figureText(actual)} is a bound of a bucket, ${
          figureText(value)
        } was sent: whether this backend keeps the ` +
        `${name} of a histogram is not documented`,
    };
  }
  return { ok: false, actual, detail: `${figureText(actual)}, but ${figureText(value)} was sent` };
}

function comparedBuckets(
  expected: ExpectedHistogram,
  { buckets, notes }: ShownHistogram,
  cannot: Backend["cannot"],
): Compared {
  if (buckets === undefined) {
    const why = cannot.buckets ?? notes.buckets ?? "the backend shows none";
    return { ok: null, actual: null, detail: why };
  }
  const actual = buckets.map(({ count }) => count);
  const uppers = (list: typeof buckets) => list.map(({ upper }) => upper).join(", ");
  if (uppers(buckets) !== uppers(expected.buckets)) {
    return {
      ok: false,
      actual,
      detail: `its upper bounds are ${uppers(buckets)}, but ${uppers(expected.buckets)} were sent`,
    };
  }
  const differing = expected.buckets.filter(({ count }, i) =>
    !isSameFigure(actual[i] ?? NaN, count)
  );
  return differing.length === 0
    ? { ok: true, actual, detail: `all ${buckets.length} are equal` }
    : {
      ok: false,
      actual,
      detail: `${counted(differing.length, "bucket")} of ${buckets.length} ${
        differing.length === 1 ? "differs" : "differ"
      }: up to ${uppers(differing)}`,
    };
}

function isSameFigure(a: number, b: number): boolean {
  // An endless bound is near no number, and its tolerance would be endless too.
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= SAME * Math.max(Math.abs(a), Math.abs(b));
}

function isBound(value: number, { buckets }: ExpectedHistogram): boolean {
  return value === 0 || buckets.some(({ upper }) => isSameFigure(value, upper));
}

function figureText(value: number): string {
  return String(Number(value.toPrecision(10)));
}

/** Adds a cause to the first step that failed, or else to the first whose figure is missing unexpectedly. */
export function withCause(
  steps: readonly VerifyStep[],
  cause: Cause | undefined,
  cannot: Backend["cannot"],
): readonly VerifyStep[] {
  if (cause === undefined) return steps;
  const failed = steps.findIndex(({ ok }) => ok === false);
  const missing = steps.findIndex(({ name, ok }) =>
    ok === null && name !== "sent" && name !== "visible" && cannot[name] === undefined
  );
  const at = failed >= 0 ? failed : missing;
  const text = `${oneLine(cause.message)}; ${oneLine(cause.remedy)}`;
  return steps.map((step, i) =>
    i === at ? { ...step, hint: step.hint === null ? text : `${step.hint}\n${text}` } : step
  );
}

/** Whether everything agrees that the backend shows, and the count is shown. */
export function areAllRight(steps: readonly VerifyStep[]): boolean {
  return steps.every(({ ok }) => ok !== false) &&
    steps.some(({ name, ok }) => name === "count" && ok === true);
}
