/// <reference lib="dom" />
import type { RefusedRow, SeriesFigures, SeriesRow, Update } from "../protocol.ts";
import { byId, setText } from "./dom.ts";
import { columnFormat, count } from "./format.ts";
import {
  fillEntry,
  groupEntry,
  joinGroup,
  type ListEntry,
  nameKey,
  seriesEntry,
  sumMembers,
} from "./list_entry.ts";

/** Way in which an entry was chosen: by the page itself, by moving through the list, or to look at it. */
export type ListChoice = "default" | "move" | "open";

const PATIENCE_MS = 5000;

/** List of metrics and their series, to filter, to sort, and to choose one from. */
export class SeriesList {
  readonly #list = byId("series", HTMLElement);
  readonly #filter = byId("filter", HTMLInputElement);
  readonly #sort = byId("sort", HTMLSelectElement);
  readonly #groups = new Map<string, ListEntry>();
  readonly #series = new Map<number, ListEntry>();
  /** Entries by their names, which accepted and rejected data points of a series share. */
  readonly #byNames = new Map<string, ListEntry>();
  readonly #choose: (entry: ListEntry, choice: ListChoice) => void;
  #shown: readonly ListEntry[] = [];
  #chosen: ListEntry | undefined;
  /** Key of the chosen entry, kept after a restart. */
  #key: string | undefined;
  #resetMs = 0;

  constructor(choose: (entry: ListEntry, choice: ListChoice) => void) {
    this.#choose = choose;
    this.#filter.addEventListener("input", () => this.#arrange());
    this.#filter.addEventListener("keydown", ({ key }) => {
      const first = this.#shown.find((entry) => this.#matches(entry));
      if (key === "Enter" && first !== undefined) this.#select(first, "open");
    });
    this.#sort.addEventListener("change", () => this.#arrange());
    this.#list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest(".option") : null;
      const entry = this.#shown.find((shown) => shown.option === option);
      if (entry !== undefined) this.#select(entry, "open");
    });
    this.#list.addEventListener("keydown", (event) => this.#move(event));
  }

  get chosen(): ListEntry | undefined {
    return this.#chosen;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** Forgets everything but the choice. */
  reset(): void {
    for (const map of [this.#groups, this.#series, this.#byNames]) map.clear();
    this.#resetMs = performance.now();
    this.#shown = [];
    this.#chosen = undefined;
    this.#list.replaceChildren();
    this.#arrange();
  }

  update({ newSeries, figures, refused }: Update): void {
    for (const row of newSeries) this.#add(row);
    for (const figure of figures) this.#set(figure);
    for (const row of refused) this.#refuse(row);
    if (newSeries.length + figures.length + refused.length > 0) this.#arrange();
    if (this.#chosen !== undefined) return;
    const same = [...this.#groups.values()].flatMap((group) => [group, ...group.members])
      .find(({ key }) => key === this.#key);
    // After a restart the one that was looked at may still come.
    const isLate = performance.now() - this.#resetMs > PATIENCE_MS;
    const first = this.#shown.find(({ query }) => query !== undefined) ?? this.#shown[0];
    const entry = same ?? (this.#key === undefined || isLate ? first : undefined);
    if (entry !== undefined) this.#select(entry);
  }

  #add(row: SeriesRow): void {
    const entry = seriesEntry(row, row.kind, `series=${row.id}`);
    const names = nameKey(row);
    const refused = this.#byNames.get(names);
    if (refused !== undefined && refused.query === undefined) {
      entry.rejected = refused.rejected;
      this.#remove(refused);
    }
    this.#byNames.set(names, entry);
    this.#series.set(row.id, entry);
    // The last values of gauges cannot be added up.
    this.#join(row.kind === "last" ? `series=${row.id}` : `group=${row.group}`, entry);
  }

  #set([id, total, , p99, last, , isAbove]: SeriesFigures): void {
    const entry = this.#series.get(id);
    if (entry !== undefined) Object.assign(entry, { count: total, p99, last, isAbove });
  }

  #refuse(row: RefusedRow): void {
    const names = nameKey(row);
    const known = this.#byNames.get(names);
    const entry = known ?? seriesEntry(row, "refused", undefined);
    entry.rejected = row;
    if (known !== undefined) return;
    this.#byNames.set(names, entry);
    this.#join(`refused=${JSON.stringify([row.name, row.unit, row.type])}`, entry);
  }

  #join(query: string, entry: ListEntry): void {
    let group = this.#groups.get(query);
    if (group === undefined) {
      group = groupEntry(entry, entry.query && query);
      this.#groups.set(query, group);
    }
    joinGroup(group, entry);
  }

  #remove(refused: ListEntry): void {
    for (const [key, group] of this.#groups) {
      const at = group.members.indexOf(refused);
      if (at < 0) continue;
      group.members.splice(at, 1);
      if (group.members.length === 0) this.#groups.delete(key);
    }
    if (this.#chosen === refused) this.#chosen = undefined;
  }

  #matches({ text }: ListEntry): boolean {
    return this.#filter.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  #arrange(): void {
    const order = ORDERS[this.#sort.value] ?? byCount;
    const isFiltered = this.#filter.value.trim() !== "";
    let matching = 0;
    let all = 0;
    const shown: ListEntry[] = [];
    const groupOf = new Map<ListEntry, ListEntry>();
    for (const group of this.#groups.values()) sumMembers(group);
    const groups = [...this.#groups.values()]
      .sort((a, b) => isRefused(b) - isRefused(a) || order(a, b));
    for (const group of groups) {
      const { members } = group;
      const found = members.filter((entry) => this.#matches(entry));
      all += members.length;
      matching += found.length;
      const isGroup = members.length > 1;
      if (found.length > 0 && isGroup) shown.push(group);
      const isOpen = isFiltered || group === this.#chosen ||
        members.some((entry) => entry === this.#chosen);
      if (isGroup) { for (const entry of found) groupOf.set(entry, group); }
      if (!isGroup || isOpen) shown.push(...found.sort(order));
    }
    // An unchanged list is not touched: a screen reader and a finger stay where they are.
    const isSame = shown.length === this.#shown.length &&
      shown.every((entry, i) => entry === this.#shown[i]);
    if (!isSame) this.#list.replaceChildren(...shown.map(({ option }) => option));
    this.#shown = shown;
    const format = columnFormat(shown.map(({ p99, last, names }) => [p99 ?? last, names.unit]));
    for (const entry of shown) fillEntry(entry, groupOf.get(entry), format);
    const some = matching === all ? "" : `${count(matching)} of `;
    setText(byId("list-count", HTMLElement), `${some}${count(all)}`);
    const empty = byId("list-empty", HTMLElement);
    empty.hidden = shown.length > 0;
    setText(empty, shown.length > 0 ? "" : `No series matches “${this.#filter.value}”.`);
  }

  #select(entry: ListEntry, choice: ListChoice = "default"): void {
    this.#chosen?.option.setAttribute("aria-selected", "false");
    entry.option.setAttribute("aria-selected", "true");
    this.#list.setAttribute("aria-activedescendant", entry.option.id);
    this.#chosen = entry;
    this.#key = entry.key;
    this.#arrange();
    this.#choose(entry, choice);
  }

  #move(event: KeyboardEvent): void {
    const last = this.#shown.length - 1;
    const at = this.#shown.findIndex((entry) => entry === this.#chosen);
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
    const entry = this.#shown[Math.max(0, Math.min(last, target))];
    if (entry === undefined) return;
    this.#select(entry, "move");
    entry.option.scrollIntoView({ block: "nearest" });
  }
}

function byName(a: ListEntry, b: ListEntry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function byCount(a: ListEntry, b: ListEntry): number {
  return b.count - a.count || byName(a, b);
}

const ORDERS: Readonly<Record<string, (a: ListEntry, b: ListEntry) => number>> = {
  count: byCount,
  p99: (a, b) => (b.p99 ?? -Infinity) - (a.p99 ?? -Infinity) || byName(a, b),
  name: byName,
};

/** Puts what was refused first: with no measurements it would be at the end of most orders. */
function isRefused({ kind }: ListEntry): number {
  return kind === "refused" ? 1 : 0;
}
