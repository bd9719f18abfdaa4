/** Histogram metric of OpenTelemetry's semantic conventions, as the extract holds it. */
export interface ConventionRow {
  readonly name: string;
  /** Unit as UCUM writes it; null for an old name that only the schema file knows. */
  readonly unit: string | null;
  readonly stability: "stable" | "release_candidate" | "development" | "deprecated";
  /** Bounds that the conventions advise; null if they advise none. */
  readonly bounds: readonly number[] | null;
  /** Name that replaces an old one; null otherwise. */
  readonly renamedTo: string | null;
}

/** Extract of the semantic conventions: the version it was made from, and its histograms by name. */
export interface ConventionExtract {
  readonly version: string;
  readonly metrics: readonly ConventionRow[];
}
