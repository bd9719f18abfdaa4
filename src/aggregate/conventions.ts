import { CONVENTION_BOUNDS, CONVENTION_ROWS, CONVENTIONS_VERSION } from "./convention_table.ts";

/**
 * Histogram metric of OpenTelemetry's semantic conventions. Import this module where it is used: a plain send has no
 * use for the table.
 */
export interface Convention {
  readonly name: string;
  /** Unit as UCUM writes it; undefined for an old name whose unit changed over time. */
  readonly unit: string | undefined;
  readonly stability: string;
  /** Advised upper bounds in that unit, perhaps none at all; undefined without advice. */
  readonly bounds: readonly number[] | undefined;
  /** Present name of a metric that was renamed; undefined if this name is the present one. */
  readonly renamedTo: string | undefined;
}

/** Finds the histogram that the semantic conventions define under a name, past names included. */
export function conventionOf(name: string): Convention | undefined {
  table ??= new Map(CONVENTION_ROWS.split("\n").map(parseRow));
  return table.get(name);
}

/** Returns the hint that a metric has an old name; undefined if its name is not an old one. */
export function oldNameHint(name: string): string | undefined {
  const { unit, renamedTo } = conventionOf(name) ?? {};
  if (renamedTo === undefined) return undefined;
  const now = conventionOf(renamedTo)?.unit;
  const unitNow = now === undefined || now === unit ? "" : `, in ${now}`;
  return `${name} is an old name: the semantic conventions ${CONVENTIONS_VERSION} call this metric ${renamedTo}` +
    `${unitNow}. Send it with --metric ${renamedTo}, or choose your own name`;
}

let table: ReadonlyMap<string, Convention> | undefined;

function parseRow(row: string): [string, Convention] {
  const [name = "", unit, stability = "", list, renamedTo] = row.split(" ");
  const known = (word: string | undefined) => word === "-" ? undefined : word;
  return [name, {
    name,
    unit: known(unit),
    stability,
    bounds: CONVENTION_BOUNDS[Number(list)],
    renamedTo: known(renamedTo),
  }];
}
