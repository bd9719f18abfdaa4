import { counted } from "../../console/plural.ts";
import { type DataPoint, dataPointsOf } from "../../otlp/data_points.ts";
import { findNearest } from "../../platform/nearest.ts";
import { clip } from "../../redact/clip.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Level } from "../../receivers/problem.ts";
import { identityOf, scopeIdentity } from "../../otlp/attribute_identity.ts";
import type { ReportedProblem, RequestEvent } from "./event.ts";
import type { Expectation } from "./expectation.ts";
import { ExpectationMatch } from "./expectation_match.ts";
import { expectationLine, type GateCheck } from "./gate_check.ts";

/** Conditions for a run to end with exit code 0. */
export interface GateOptions {
  /** Lowest level of a problem that fails the run; undefined accepts every problem. */
  readonly failOn: Level | undefined;
  /** Metrics that have to arrive, and how. */
  readonly expect: readonly Expectation[];
  /** Rules that are shown and not counted. */
  readonly ignore: ReadonlySet<string>;
}

/** End of a run, as far as the requests do not tell. */
export interface RunEnd {
  /** Number of requests of `--requests` that had not arrived when `--wait` was over. */
  readonly lacking: number;
  /** Number of accepted requests that `--save` could not keep. */
  readonly unsaved: number;
}

/** Result of a gate. */
export interface GateResult {
  /** Number of reported problems per level, without ignored ones. */
  readonly errors: number;
  readonly warnings: number;
  readonly ignored: number;
  /** Expectations that were not met, as the user wrote them. */
  readonly missing: readonly string[];
  readonly checks: readonly GateCheck[];
  /** Reasons why the run fails, one sentence each; empty if it does not. */
  readonly failures: readonly string[];
}

/** Problems of one rule and level. */
interface BrokenRule {
  readonly problem: ReportedProblem;
  times: number;
  readonly metrics: Set<string>;
}

const NO_METRICS =
  "no metrics arrived. Check that the program exports them over OTLP/HTTP to this " +
  "receiver before it ends";
const MOST_NAMES = 1000;
const MOST_LISTED = 5;
/** Length to which judges clip a metric name. */
const LONGEST_NAME = 300;

/** Gate of a run: counts problems, and finds out which expectations were met. */
export class Gate {
  readonly #options: GateOptions;
  readonly #hide: Hide;
  /** Search per expectation, by its text. */
  readonly #searches: ReadonlyMap<string, { metric: string; match: ExpectationMatch }>;
  readonly #byMetric: ReadonlyMap<string, readonly ExpectationMatch[]>;
  readonly #names = new Set<string>();
  readonly #broken = new Map<string, BrokenRule>();
  readonly #count = { error: 0, warning: 0, ignored: 0 };
  #requests = 0;
  #unread = 0;
  #points = 0;

  /** `hide` removes secrets from what came. */
  constructor(options: GateOptions, hide: Hide = (text) => text) {
    this.#options = options;
    this.#hide = hide;
    this.#searches = new Map(options.expect.map((expectation) => [
      expectation.text,
      { metric: expectation.metric, match: new ExpectationMatch(expectation, hide) },
    ]));
    const searches = [...this.#searches.values()];
    this.#byMetric = new Map(searches.map(({ metric }) => [
      metric,
      searches.filter((search) => search.metric === metric).map(({ match }) => match),
    ]));
  }

  /** Returns the event with the problems marked that `--ignore` names. */
  mark(event: RequestEvent): RequestEvent {
    const { ignore } = this.#options;
    if (!event.problems.some(({ rule }) => ignore.has(rule))) return event;
    const problems = event.problems.map((problem) =>
      ignore.has(problem.rule) ? { ...problem, ignored: true as const } : problem
    );
    return { ...event, problems };
  }

  /** Counts a marked event. */
  add(event: RequestEvent): void {
    this.#requests++;
    this.#points += event.points;
    for (const problem of event.problems) this.#addProblem(problem);
    if (event.request === undefined) this.#unread++;
    else if (this.#searches.size > 0) this.#addMetrics(event, event.request);
  }

  #addProblem(problem: ReportedProblem): void {
    const { rule, level, metric, ignored } = problem;
    this.#count[ignored ? "ignored" : level]++;
    const key = `${rule} ${level}`;
    const known = this.#broken.get(key);
    const broken = known ?? { problem, times: 0, metrics: new Set<string>() };
    if (known === undefined) this.#broken.set(key, broken);
    broken.times++;
    if (metric !== "" && broken.metrics.size <= MOST_LISTED) broken.metrics.add(metric);
  }

  #addMetrics(event: RequestEvent, request: NonNullable<RequestEvent["request"]>): void {
    const isTaken = event.outcome === "accepted" || event.outcome === "partial";
    const isAccepted = (point: DataPoint) => isTaken && !event.rejected.has(point);
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const attributes = resource?.attributes ?? [];
      for (const { scope, metrics } of scopeMetrics) {
        const origin = () => JSON.stringify([identityOf(attributes), scopeIdentity(scope)]);
        for (const metric of metrics) {
          if (this.#names.size < MOST_NAMES) this.#names.add(clip(metric.name, LONGEST_NAME));
          const matches = this.#byMetric.get(metric.name);
          if (matches === undefined) continue;
          const reasons = dataPointsOf(metric).every(isAccepted)
            ? []
            : rejectionReasons(event, metric.name);
          for (const match of matches) {
            match.add({
              ...{ metric, resource: attributes, origin, request: this.#requests },
              ...{ isAccepted, reasons },
            });
          }
        }
      }
    }
  }

  /** Returns the result of the run. */
  result(end: RunEnd = { lacking: 0, unsaved: 0 }): GateResult {
    const { failOn } = this.#options;
    const { error: errors, warning: warnings, ignored } = this.#count;
    const expectations = [...this.#searches.values()].map(({ match }) =>
      match.result((metric) => this.#othersThan(metric))
    );
    const missing = expectations.filter(({ isMet }) => !isMet);
    const broken = [
      ...errors > 0 && failOn !== undefined ? [counted(errors, "error")] : [],
      ...warnings > 0 && failOn === "warning" ? [counted(warnings, "warning")] : [],
    ].join(" and ");
    const run = this.#runChecks(broken, end);
    return {
      errors,
      warnings,
      ignored,
      missing: missing.map(({ text }) => text),
      checks: [
        ...expectations.map(({ text, isMet, detail }): GateCheck => ({
          kind: "expectation",
          name: text,
          ok: isMet,
          detail,
        })),
        ...[...this.#broken.values()].map((rule) => this.#ruleCheck(rule)),
        ...run,
      ],
      failures: [
        ...broken === "" ? [] : [`--fail-on ${failOn}: ${broken}`],
        ...missing.map(({ text, detail }) => expectationLine(text, detail)),
        ...run.filter(({ ok }) => ok === false).map(({ name, detail }) => `${name}: ${detail}`),
      ],
    };
  }

  /** Checks of the run as a whole. A broken rule has its own check, so `--fail-on` has one only when it was kept. */
  #runChecks(broken: string, { lacking, unsaved }: RunEnd): readonly GateCheck[] {
    const { failOn } = this.#options;
    const checks: GateCheck[] = [];
    const run = (name: string, ok: boolean, detail: string) =>
      checks.push({ kind: "run", name, ok, detail });
    if (failOn !== undefined) {
      const name = `--fail-on ${failOn}`;
      // With --expect alone, each expectation is missed.
      if (this.#points === 0) run(name, false, NO_METRICS);
      else if (broken === "") {
        const none = failOn === "error" ? "no errors" : "no errors or warnings";
        run(name, true, `${none} in ${counted(this.#requests, "request")}`);
      }
    }
    if (lacking > 0) {
      run(
        "--wait was over before --requests came",
        false,
        `${counted(lacking, "request")} short`,
      );
    }
    if (unsaved > 0) run("--save", false, `${counted(unsaved, "accepted request")} not saved`);
    return checks;
  }

  #ruleCheck({ problem, times, metrics }: BrokenRule): GateCheck {
    const { rule, level, message, ignored } = problem;
    const { failOn } = this.#options;
    const fails = !ignored && failOn !== undefined && (level === "error" || failOn === "warning");
    const names = [...metrics].slice(0, MOST_LISTED).map(this.#hide).join(", ");
    const more = metrics.size > MOST_LISTED ? ", …" : "";
    return {
      kind: "rule",
      name: rule,
      ok: fails ? false : null,
      detail: `${ignored ? "ignored " : ""}${level}, ${counted(times, "time")}: ` +
        `${names === "" ? "" : `${names}${more}: `}${this.#hide(message)}`,
    };
  }

  /** Says which metrics came in place of an expected one. */
  #othersThan(metric: string): string {
    const names = [...this.#names];
    const unread = this.#unread === 0 ? "" : `; ${counted(this.#unread, "request")} not decoded`;
    if (names.length === 0) return `no metrics arrived${unread}`;
    const nearest = findNearest(clip(metric, LONGEST_NAME), names);
    const more = names.length > MOST_LISTED ? ", …" : "";
    const others = nearest === undefined
      ? `these arrived: ${names.slice(0, MOST_LISTED).map(this.#hide).join(", ")}${more}`
      : `nearest: ${this.#hide(nearest)}`;
    return `no metric has this name; ${others}${unread}`;
  }
}

/** Says why data points of a metric were rejected: by its rules, by those of the request, or by a scripted response. */
function rejectionReasons(
  { problems, status }: RequestEvent,
  metric: string,
): readonly string[] {
  const name = clip(metric, LONGEST_NAME);
  const rules = problems.filter((problem) =>
    problem.level === "error" && (problem.metric === "" || problem.metric === name)
  ).map(({ rule }) => rule);
  if (rules.length > 0) return [...new Set(rules)];
  return [status === null ? "the request was not answered" : `the response was ${status}`];
}
