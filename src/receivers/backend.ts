/** Backends by the names that `--backend` accepts. */
export type BackendName = "grail" | "metrics-v2" | "prometheus";

/** Whether a backend is Dynatrace's: it takes Dynatrace's tokens and has a setting that decides about buckets. */
export function isDynatraceBackend(name: BackendName): name is "grail" | "metrics-v2" {
  return name === "grail" || name === "metrics-v2";
}

/** Base URL of a query API, and which API it is. */
export interface QueryBase {
  readonly backend: BackendName;
  readonly url: URL;
}

/** Figures of a histogram that a backend may show, in the order in which they are compared. */
export const FIGURES = ["count", "sum", "min", "max", "percentile", "buckets"] as const;
/** Name of a figure. */
export type Figure = (typeof FIGURES)[number];

/** Values of one bucket: above the bucket before it, up to and with `upper`; the last one has no upper end. */
export interface ShownBucket {
  readonly upper: number;
  readonly count: number;
}

/** Histogram of one run as a backend shows it. A figure that it does not show is undefined. */
export interface ShownHistogram {
  readonly count: number | undefined;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Median as the backend estimates it. */
  readonly percentile: number | undefined;
  /** Buckets in increasing order. */
  readonly buckets: readonly ShownBucket[] | undefined;
  /** Key of the metric in the backend. */
  readonly metric: string;
  /** Keys of its dimensions; undefined if the answer does not hold them. */
  readonly dimensions: readonly string[] | undefined;
  /** How a figure was read, where that matters: `rollup: count`. */
  readonly notes: Readonly<Partial<Record<Figure, string>>>;
}

/** Marked histogram that was sent, as queries for it need it. */
export interface SentRun {
  readonly metric: string;
  readonly unit: string;
  /** Attribute that marks the run, and its value. */
  readonly attribute: string;
  readonly id: string;
  /** Keys of the attributes of the data point, without the mark. */
  readonly attributes: readonly string[];
  /** When it was measured, ms since 1970 by this machine's clock, which stamped the data point. */
  readonly time: number;
  readonly bounds: readonly number[];
  readonly buckets: readonly ShownBucket[];
  readonly count: number;
  readonly sum: number;
}

/** Outcome of one look at a backend. */
export type Sighting =
  | { readonly kind: "shown"; readonly histogram: ShownHistogram }
  /** Nothing of the run is there yet. */
  | { readonly kind: "nothing" }
  /** The query failed this time; a later one may succeed. */
  | QueryTrouble
  /** No later query will succeed: the token, the URL or the query is wrong. */
  | QueryRefusal;

/** Query that failed and may succeed later. */
export interface QueryTrouble {
  readonly kind: "trouble";
  readonly message: string;
  readonly hint: string | undefined;
  /** Shortest wait in ms that the backend asked for. */
  readonly retryAfterMs: number | undefined;
  /** Whether nothing answered at all. */
  readonly isUnreachable: boolean;
}

/** Query that never succeeds. */
export interface QueryRefusal {
  readonly kind: "refused";
  readonly message: string;
  readonly hint: string | undefined;
}

/** Cause of a difference, with its remedy; both in words. */
export interface Cause {
  /** Stable name: `attribute-missing`. */
  readonly id: string;
  readonly message: string;
  readonly remedy: string;
}

/** Query API behind a receiver: finds what it shows of a run, and why it shows less. */
export interface Backend {
  readonly name: BackendName;
  /** URL of its queries, as it may be shown. */
  readonly shown: string;
  /** Why it never shows a figure, for each such figure. */
  readonly cannot: Readonly<Partial<Record<Figure, string>>>;
  /** Whether min and max may be those of their buckets: nobody knows for this backend. */
  readonly hasVagueExtremes: boolean;
  /** Lists the keys under which it may store an attribute. */
  spellings(key: string): readonly string[];
  /** Looks for a run. The first look, before anything is sent, tries the URL and the token. */
  find(run: SentRun, now: number, signal: AbortSignal): Promise<Sighting>;
  /** Finds the first cause that holds of a run that is not shown as it was sent; undefined if none was found. */
  diagnose(
    run: SentRun,
    seen: ShownHistogram | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<Cause | undefined>;
}
