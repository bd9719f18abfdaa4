import { quantiles } from "./columns.ts";
import {
  type Base2Layout,
  base2Layout,
  columnBounds,
  type ColumnLayout,
  columnMap,
} from "./layout.ts";
import type { GroupLine, HistoryAnswer, LineRow } from "./protocol.ts";
import {
  COUNT,
  finiteOrNull,
  HEAD,
  MAX,
  MIN,
  sentRow,
  type SeriesHistory,
  SLICE,
  SUM,
} from "./series_history.ts";

/** Maximum number of lines of a chart, the one for the rest of the values among them. */
const MOST_LINES = 8;
const SHARES = [0.5, 0.9, 0.99] as const;

/** Query for the history of a group; `from` and `version` are NaN where everything is asked for. */
export interface GroupQuery {
  readonly from: number;
  readonly version: number;
  /** Key of the attribute that distinguishes the lines; null for no lines. */
  readonly by: string | null;
}

/** Adds up the series of a group: all of them, and those of each value of an attribute. */
export function groupAnswer(
  members: readonly SeriesHistory[],
  sliceMs: number,
  query: GroupQuery,
): HistoryAnswer {
  // Grows with every new member and with every change of one.
  const version = members.reduce((sum, member) => sum + member.version + 1, 0);
  const isPart = query.version === version && Number.isFinite(query.from);
  const from = isPart ? query.from : -Infinity;
  const layout = groupLayout(members);
  const bounds = columnBounds(layout);
  const rows = addUp(members, layout, (member) => member.rowViews(from)).map(sentRow);
  const lines = query.by === null ? [] : membersBy(members, query.by).map((line): GroupLine => {
    const [totals] = addUp(line.members, layout, (member) => [member.totalRow()]);
    return {
      value: line.value,
      isRest: line.isRest,
      series: line.members.length,
      count: totals?.[COUNT] ?? 0,
      sum: finiteOrNull(totals?.[SUM] ?? NaN),
      min: finiteOrNull(totals?.[MIN] ?? NaN),
      max: finiteOrNull(totals?.[MAX] ?? NaN),
      columns: Array.from(totals?.subarray(HEAD) ?? []),
      rows: addUp(line.members, layout, (member) => member.rowViews(from))
        .map((row) => lineRow(row, bounds)),
    };
  });
  return { version, sliceMs, isPart, bounds, rows, lines };
}

/** Returns the layout of the sum: exponential ones differ between series, explicit ones are the same. */
function groupLayout(members: readonly SeriesHistory[]): ColumnLayout {
  const [first, ...others] = members.map(({ layout }) => layout);
  if (first?.kind !== "base2") return first ?? { kind: "explicit", bounds: [], columns: 1 };
  return others.reduce<Base2Layout>(
    (sum, layout) => layout.kind === "base2" ? base2Layout(sum, layout) : sum,
    first,
  );
}

/** Adds up rows of series, per slice, oldest first. An extreme or a sum that one of them lacks is NaN. */
function addUp(
  members: readonly SeriesHistory[],
  layout: ColumnLayout,
  rowsOf: (member: SeriesHistory) => Iterable<Float64Array>,
): readonly Float64Array[] {
  const sums = new Map<number, Float64Array>();
  for (const member of members) {
    const map = mapTo(layout, member.layout);
    for (const row of rowsOf(member)) {
      // A row without measurements has no extremes that could be missing.
      if (row[COUNT] === 0) continue;
      const slice = row[SLICE] ?? 0;
      let sum = sums.get(slice);
      if (sum === undefined) {
        sums.set(slice, sum = new Float64Array(HEAD + layout.columns));
        sum[SLICE] = slice;
        [sum[MIN], sum[MAX]] = [Infinity, -Infinity];
      }
      sum[COUNT] = (sum[COUNT] ?? 0) + (row[COUNT] ?? 0);
      sum[SUM] = (sum[SUM] ?? 0) + (row[SUM] ?? 0);
      sum[MIN] = Math.min(sum[MIN] ?? NaN, finiteOrNaN(row[MIN]));
      sum[MAX] = Math.max(sum[MAX] ?? NaN, finiteOrNaN(row[MAX]));
      for (let i = HEAD; i < row.length; i++) {
        const to = map === undefined ? i : HEAD + (map[i - HEAD] ?? 0);
        sum[to] = (sum[to] ?? 0) + (row[i] ?? 0);
      }
    }
  }
  return [...sums.values()].sort((a, b) => (a[SLICE] ?? 0) - (b[SLICE] ?? 0));
}

function finiteOrNaN(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : NaN;
}

function mapTo(to: ColumnLayout, from: ColumnLayout): Uint16Array | undefined {
  return to.kind === "base2" && from.kind === "base2" && to !== from
    ? columnMap(from, to)
    : undefined;
}

interface LineMembers {
  readonly value: string | null;
  readonly isRest: boolean;
  readonly members: readonly SeriesHistory[];
}

/** Groups series by the value of an attribute, or of a resource attribute; those with most measurements first. */
function membersBy(members: readonly SeriesHistory[], key: string): readonly LineMembers[] {
  const byValue = new Map<string | null, SeriesHistory[]>();
  for (const member of members) {
    const value = valueOfKey(member, `${key}=`);
    const known = byValue.get(value);
    if (known === undefined) byValue.set(value, [member]);
    else known.push(member);
  }
  const lines = [...byValue].map(([value, series]) => ({
    value,
    isRest: false,
    members: series,
    count: series.reduce((sum, { count }) => sum + count, 0),
  })).sort((a, b) => b.count - a.count);
  if (lines.length <= MOST_LINES) return lines;
  const rest = lines.splice(MOST_LINES - 1).flatMap((line) => line.members);
  return [...lines, { value: null, isRest: true, members: rest }];
}

function valueOfKey({ names }: SeriesHistory, prefix: string): string | null {
  const word = [...names.attributes, ...names.resource].find((each) => each.startsWith(prefix));
  return word?.slice(prefix.length) ?? null;
}

function lineRow(row: Float64Array, bounds: readonly number[]): LineRow {
  const [slice = 0, count = 0, sum = NaN, min = NaN, max = NaN] = row;
  const [p50, p90, p99] = quantiles(SHARES, bounds, row.subarray(HEAD), { min, max });
  return [slice, count, finiteOrNull(sum), p50 ?? null, p90 ?? null, p99 ?? null];
}
