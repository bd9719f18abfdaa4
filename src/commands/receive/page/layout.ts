import { base2Bound, rescaledIndex } from "../../../aggregate/base2.ts";

// Columns of a series' history: its buckets in rising order. The bounds of an explicit histogram are part of a series'
// identity; those of an exponential one move with every data point, and its layout moves with them.

/** Assignment of a series' buckets to the columns of its history. */
export type ColumnLayout = ExplicitLayout | Base2Layout;

/** Layout of explicit buckets: one column each. */
export interface ExplicitLayout {
  readonly kind: "explicit";
  readonly bounds: readonly number[];
  readonly columns: number;
}

/** Layout of exponential buckets: the negative ones from the lowest value up, the zero bucket, the positive ones. */
export interface Base2Layout {
  readonly kind: "base2";
  readonly scale: number;
  readonly negative: Indices;
  readonly positive: Indices;
  readonly columns: number;
}

/** Range of `size` bucket indices from `first` up. */
export interface Indices {
  readonly first: number;
  readonly size: number;
}

/** Range of buckets that an exponential layout has to hold. */
export interface Base2Extent {
  readonly scale: number;
  readonly negative: Indices;
  readonly positive: Indices;
}

/** Finest scale of a chart: a column is 4.4% wide, and narrower ones are invisible. */
const FINEST_SCALE = 4;
const MOST_A_SIDE = 96;
/** Extra columns at either end, so that not every new extreme moves everything. */
const SLACK = 2;

/** Range without any index. */
export const NO_INDICES: Indices = { first: 0, size: 0 };

/** Creates the layout of explicit buckets. */
export function explicitLayout(bounds: readonly number[]): ExplicitLayout {
  return { kind: "explicit", bounds, columns: bounds.length + 1 };
}

/** Returns a layout with room for both; the same object if `known` has it already. */
export function base2Layout(known: Base2Layout | undefined, extent: Base2Extent): Base2Layout {
  if (known !== undefined && fits(known, extent)) return known;
  let scale = Math.min(extent.scale, known?.scale ?? FINEST_SCALE, FINEST_SCALE);
  const at = (side: "negative" | "positive") =>
    union(
      rescaledIndices(extent[side], extent.scale, scale),
      known === undefined ? NO_INDICES : rescaledIndices(known[side], known.scale, scale),
    );
  while (at("negative").size > MOST_A_SIDE || at("positive").size > MOST_A_SIDE) scale--;
  const negative = withSlack(at("negative"));
  const positive = withSlack(at("positive"));
  const columns = negative.size + 1 + positive.size;
  return { kind: "base2", scale, negative, positive, columns };
}

function fits(known: Base2Layout, extent: Base2Extent): boolean {
  if (extent.scale < known.scale) return false;
  return (["negative", "positive"] as const).every((side) => {
    const { first, size } = rescaledIndices(extent[side], extent.scale, known.scale);
    const room = known[side];
    return size === 0 || (first >= room.first && first + size <= room.first + room.size);
  });
}

function withSlack({ first, size }: Indices): Indices {
  if (size === 0) return NO_INDICES;
  const slack = Math.min(SLACK, Math.floor((MOST_A_SIDE - size) / 2));
  return { first: first - slack, size: size + 2 * slack };
}

function rescaledIndices({ first, size }: Indices, from: number, to: number): Indices {
  if (size === 0) return NO_INDICES;
  const low = rescaledIndex(first, from, to);
  return { first: low, size: rescaledIndex(first + size - 1, from, to) - low + 1 };
}

function union(a: Indices, b: Indices): Indices {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const first = Math.min(a.first, b.first);
  return { first, size: Math.max(a.first + a.size, b.first + b.size) - first };
}

/** Returns the column of a bucket. */
export function base2Column(
  layout: Base2Layout,
  side: "negative" | "positive",
  index: number,
): number {
  const { negative, positive } = layout;
  return side === "negative"
    ? negative.size - 1 - (index - negative.first)
    : negative.size + 1 + (index - positive.first);
}

/** Maps each column of one layout to its column in a later, coarser or wider one. */
export function columnMap(from: Base2Layout, to: Base2Layout): Uint16Array {
  const map = new Uint16Array(from.columns);
  map[from.negative.size] = to.negative.size;
  for (const side of ["negative", "positive"] as const) {
    const { first, size } = from[side];
    for (let index = first; index < first + size; index++) {
      const target = rescaledIndex(index, from.scale, to.scale);
      map[base2Column(from, side, index)] = base2Column(to, side, target);
    }
  }
  return map;
}

/** Returns the bounds between the columns: one fewer than columns. */
export function columnBounds(layout: ColumnLayout): readonly number[] {
  if (layout.kind === "explicit") return layout.bounds;
  const { negative, positive, scale } = layout;
  const bounds: number[] = [];
  for (let i = negative.size - 1; i >= 0; i--) bounds.push(-base2Bound(negative.first + i, scale));
  for (let i = 0; i < positive.size; i++) bounds.push(base2Bound(positive.first + i, scale));
  return bounds;
}
