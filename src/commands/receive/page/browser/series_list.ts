/// <reference lib="dom" />
import type { SeriesFigures, SeriesRow, Update } from "../protocol.ts";
import { byId, element, setText } from "./dom.ts";
import { count, formatValue } from "./format.ts";

/** Series of the list with its current figures. */
export interface ListedSeries {
  readonly row: SeriesRow;
  readonly option: HTMLElement;
  /** Text that the filter searches. */
  readonly text: string;
  /** Key that stays the same across restarts, unlike the number. */
  readonly key: string;
  count: number;
  p50: number | null;
  p99: number | null;
  last: number | null;
  seenMs: number;
}

const PATIENCE_MS = 5000;

/** List of series, to filter, to sort, and to choose one from. */
export class SeriesList {
  readonly #list = byId("series", HTMLElement);
  readonly #filter = byId("filter", HTMLInputElement);
  readonly #sort = byId("sort", HTMLSelectElement);
  readonly #all = new Map<number, ListedSeries>();
  readonly #choose: (series: ListedSeries | undefined) => void;
  #shown: readonly ListedSeries[] = [];
  #chosen: ListedSeries | undefined;
  /** Key of the chosen series, kept after a restart. */
  #key: string | undefined;
  #resetMs = 0;

  constructor(choose: (series: ListedSeries | undefined) => void) {
    this.#choose = choose;
    this.#filter.addEventListener("input", () => this.#arrange());
    this.#sort.addEventListener("change", () => this.#arrange());
    this.#list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest(".option") : null;
      const series = this.#shown.find((shown) => shown.option === option);
      if (series !== undefined) this.#select(series);
    });
    this.#list.addEventListener("keydown", (event) => this.#move(event));
  }

  get chosen(): ListedSeries | undefined {
    return this.#chosen;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Forgets everything but the choice. */
  reset(): void {
    this.#all.clear();
    this.#resetMs = performance.now();
    this.#shown = [];
    this.#chosen = undefined;
    this.#list.replaceChildren();
    this.#arrange();
  }

  update({ newSeries, figures }: Update): void {
    for (const row of newSeries) this.#all.set(row.id, listedSeries(row));
    for (const figure of figures) this.#set(figure);
    if (newSeries.length > 0 || figures.length > 0) this.#arrange();
    if (this.#chosen !== undefined) return;
    const same = [...this.#all.values()].find(({ key }) => key === this.#key);
    // After a restart the one that was looked at may still come.
    const isLate = performance.now() - this.#resetMs > PATIENCE_MS;
    const first = this.#key === undefined || isLate ? this.#shown[0] : undefined;
    const series = same ?? first;
    if (series !== undefined) this.#select(series);
  }

  #set([id, total, p50, p99, last, seenMs]: SeriesFigures): void {
    const series = this.#all.get(id);
    if (series === undefined) return;
    Object.assign(series, { count: total, p50, p99, last, seenMs });
    const [, , figures, of] = series.option.children;
    const { unit, kind } = series.row;
    if (figures !== undefined) {
      setText(figures, kind === "histogram" ? count(total) : formatValue(last, unit));
    }
    if (of !== undefined) {
      setText(of, kind === "histogram" ? `p99 ${formatValue(p99, unit)}` : kind);
    }
  }

  #arrange(): void {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const shown = [...this.#all.values()]
      .filter(({ text }) => words.every((word) => text.includes(word)))
      .sort(ORDERS[this.#sort.value] ?? byCount);
    // An unchanged list is not touched: a screen reader and a finger stay where they are.
    const isSame = shown.length === this.#shown.length &&
      shown.every((series, i) => series === this.#shown[i]);
    if (!isSame) this.#list.replaceChildren(...shown.map(({ option }) => option));
    this.#shown = shown;
    const some = shown.length === this.#all.size ? "" : `${count(shown.length)} of `;
    setText(byId("list-count", HTMLElement), `${some}${count(this.#all.size)}`);
    byId("list-empty", HTMLElement).hidden = this.#all.size > 0;
  }

  #select(series: ListedSeries): void {
    this.#chosen?.option.setAttribute("aria-selected", "false");
    series.option.setAttribute("aria-selected", "true");
    this.#list.setAttribute("aria-activedescendant", series.option.id);
    this.#chosen = series;
    this.#key = series.key;
    this.#choose(series);
  }

  #move(event: KeyboardEvent): void {
    const last = this.#shown.length - 1;
    const at = this.#shown.findIndex((series) => series === this.#chosen);
    const to: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 10,
      PageUp: at - 10,
      Home: 0,
      End: last,
    };
    const target = to[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const series = this.#shown[Math.max(0, Math.min(last, target))];
    if (series === undefined) return;
    this.#select(series);
    series.option.scrollIntoView({ block: "nearest" });
  }
}

function byName(a: ListedSeries, b: ListedSeries): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function byCount(a: ListedSeries, b: ListedSeries): number {
  return b.count - a.count || byName(a, b);
}

const ORDERS: Readonly<Record<string, (a: ListedSeries, b: ListedSeries) => number>> = {
  count: byCount,
  p99: (a, b) => (b.p99 ?? -Infinity) - (a.p99 ?? -Infinity) || byName(a, b),
  name: byName,
};

function listedSeries(row: SeriesRow): ListedSeries {
  const { id, name, attributes, resource, scope, type, unit, temporality } = row;
  const option = element(
    "div",
    { className: "option" },
    element("b", { text: name }),
    element("span", { className: "of", text: attributes.join(" ") || "no attributes" }),
    element("span", { className: "total" }),
    element("span", { className: "p99" }),
  );
  option.id = `series-${id}`;
  option.role = "option";
  option.setAttribute("aria-selected", "false");
  const key = JSON.stringify([
    name,
    attributes,
    resource,
    scope,
    type,
    unit,
    temporality,
    row.kind,
  ]);
  const text = [name, ...attributes, ...resource, scope, type].join(" ").toLowerCase();
  return { row, option, text, key, count: 0, p50: null, p99: null, last: null, seenMs: 0 };
}
