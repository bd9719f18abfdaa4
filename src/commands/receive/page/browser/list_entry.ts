/// <reference lib="dom" />
import type { RefusedRow, SeriesRow } from "../protocol.ts";
import type { SeriesNames } from "../series_names.ts";
import { counted, plural } from "../../../../console/plural.ts";
import { element, setText, setWrapped } from "./dom.ts";
import { count, type ValueFormat } from "./format.ts";

/** Entry of the list: a series, or a group of series that can be added up. */
export interface ListEntry {
  readonly kind: SeriesRow["kind"] | "refused";
  /** Names; of a group those that all its series share. */
  names: SeriesNames;
  /** Query for its history; undefined if all its data points were rejected. */
  readonly query: string | undefined;
  readonly option: HTMLElement;
  /** Text that the filter searches. */
  readonly text: string;
  /** Key that stays the same across restarts, unlike the query. */
  readonly key: string;
  /** Series of a group; empty for a series. */
  readonly members: ListEntry[];
  /** Rejected data points of a series. */
  rejected: RefusedRow | undefined;
  count: number;
  p99: number | null;
  last: number | null;
  /** Whether p99 lies above the last bound, which then stands in its place. */
  isAbove: boolean;
}

let made = 0;

/** Creates the entry of a series. */
export function seriesEntry(
  { name, unit, type, temporality, resource, scope, attributes }: SeriesNames,
  kind: ListEntry["kind"],
  query: string | undefined,
): ListEntry {
  const names = { name, unit, type, temporality, resource, scope, attributes };
  return entryOf(names, kind, query, [nameKey(names), kind]);
}

/** Creates the entry of a group from its first series. */
export function groupEntry({ names, kind }: ListEntry, query: string | undefined): ListEntry {
  const { name, unit, type, temporality } = names;
  return entryOf(names, kind, query, [name, unit, type, temporality, kind]);
}

function entryOf(
  names: SeriesNames,
  kind: ListEntry["kind"],
  query: string | undefined,
  key: readonly unknown[],
): ListEntry {
  const { name, attributes, resource, scope, type } = names;
  const option = element(
    "div",
    { className: `option ${kind}` },
    element("b"),
    element("span", { className: "of" }),
    element("span", { className: "total" }),
    element("span", { className: "p99" }),
  );
  option.id = `option-${++made}`;
  option.role = "option";
  option.setAttribute("aria-selected", "false");
  return {
    kind,
    names,
    query,
    option,
    text: [name, ...attributes, ...resource, scope, type, kind].join(" ").toLowerCase(),
    key: JSON.stringify(key),
    members: [],
    rejected: undefined,
    count: 0,
    p99: null,
    last: null,
    isAbove: false,
  };
}

/** Returns the key of a series' names. */
export function nameKey(
  { name, attributes, resource, scope, type, unit, temporality }: SeriesNames,
): string {
  return JSON.stringify([name, attributes, resource, scope, type, unit, temporality]);
}

/** Adds a series to a group, whose names become those that all its series share. */
export function joinGroup(group: ListEntry, entry: ListEntry): void {
  group.members.push(entry);
  const { names } = group;
  const { attributes, resource, scope } = entry.names;
  group.names = {
    ...names,
    attributes: names.attributes.filter((word) => attributes.includes(word)),
    resource: names.resource.filter((word) => resource.includes(word)),
    scope: names.scope === scope ? scope : "",
  };
}

/** Counts the values of each attribute that differs between the series of a group. */
export function differingKeys({ names, members }: ListEntry): ReadonlyMap<string, number> {
  const values = new Map<string, Set<string>>();
  for (const part of ["attributes", "resource"] as const) {
    const common = new Set(names[part]);
    for (const member of members) {
      for (const word of member.names[part]) {
        if (common.has(word)) continue;
        const key = word.slice(0, Math.max(0, word.indexOf("=")));
        const known = values.get(key);
        if (known === undefined) values.set(key, new Set([word]));
        else known.add(word);
      }
    }
  }
  values.delete("");
  return new Map([...values].map(([key, { size }]) => [key, size]));
}

/** Adds up the figures of a group's series; its p99 is the largest, for sorting. */
export function sumMembers(group: ListEntry): void {
  group.count = 0;
  group.p99 = null;
  for (const { count, p99 } of group.members) {
    group.count += count;
    if (p99 !== null) group.p99 = Math.max(group.p99 ?? p99, p99);
  }
}

/** Number of rejected data points of a series or a group. */
export function rejectedPoints({ rejected, members }: ListEntry): number {
  return members.reduce((sum, member) => sum + rejectedPoints(member), rejected?.points ?? 0);
}

/** Writes the current figures of an entry; `group` is the one that it is listed below. */
export function fillEntry(
  entry: ListEntry,
  group: ListEntry | undefined,
  format: ValueFormat,
): void {
  const { option, kind, names, count: total, p99, last, members, isAbove } = entry;
  const [name, of, figure, below] = option.children;
  option.classList.toggle("member", group !== undefined);
  const value = format(kind === "histogram" ? p99 : last, names.unit);
  const rejected = rejectedPoints(entry);
  const isGroup = members.length > 0;
  const texts = {
    of: isGroup
      ? `all ${counted(members.length, "series", "series")}`
      : wordsOf(names, group?.names),
    figure: kind === "refused"
      ? "refused"
      : kind === "histogram"
      ? count(total)
      : isGroup
      ? ""
      : value,
    below: kind === "refused"
      ? `${count(rejected)} ${plural(rejected, "point")}`
      : kind !== "histogram"
      ? kind
      : isGroup
      ? ""
      : `p99 ${isAbove ? "> " : ""}${value}`,
  };
  if (name !== undefined) setWrapped(name, names.name);
  if (of !== undefined) setText(of, texts.of);
  if (figure !== undefined) setText(figure, texts.figure);
  if (below !== undefined) setText(below, texts.below);
}

/** Returns the words that distinguish a series from the others of its group. */
function wordsOf({ attributes, resource }: SeriesNames, common: SeriesNames | undefined): string {
  const own = common === undefined ? [] : [
    ...attributes.filter((word) => !common.attributes.includes(word)),
    ...resource.filter((word) => !common.resource.includes(word)),
  ];
  return (own.length > 0 ? own : attributes).join(" ") || "no attributes";
}
