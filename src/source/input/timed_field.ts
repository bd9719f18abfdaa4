import { decimal } from "../../platform/number.ts";
import { parseTime } from "./time.ts";

/** Number of lines that are searched. */
const MOST_LINES = 3;

/** Names under which a number is a time, whatever they are joined to: `timeStamp` of JMeter, `@timestamp`, `ts`. */
const TIME_NAME =
  /^@?(time|timestamp|time_?stamp|ts|date|datetime|epoch|time_?(unix|epoch|local|iso8601)|unix_?time)$/i;
/** The years 2001 to 2100, in seconds. */
const [EARLIEST, LATEST] = [1e9, 4.1e9];
/** A date and a time of day; parseTime also accepts plain numbers. */
const DATED = /^\[?\d{4}-\d\d-\d\d[Tt ]|^\[?\d\d\/[A-Za-z]{3}\/\d{4}:/;

/** Looks through the first lines of an input for a field that plainly carries a time. */
export class TimedField {
  /** Whether more lines are to be searched. */
  isSearching: boolean;
  #looked = 0;
  /** Name of the field that carries a time; undefined: none was found so far. */
  name: string | undefined;

  constructor(isSearching: boolean) {
    this.isSearching = isSearching;
  }

  /** Ends the search: the format itself has a time, in the field of that name. */
  certain(name: string): void {
    if (this.isSearching) this.name = name;
    this.isSearching = false;
  }

  look(fields: Iterable<readonly [name: string, value: unknown]>): void {
    for (const [name, value] of fields) {
      if (!carriesTime(name, value)) continue;
      this.name = name;
      this.isSearching = false;
      return;
    }
    this.isSearching = ++this.#looked < MOST_LINES;
  }
}

function carriesTime(name: string, value: unknown): boolean {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return false;
  const number = decimal(text);
  if (Number.isNaN(number)) return DATED.test(text) && typeof parseTime(text, "auto") === "number";
  if (!TIME_NAME.test(name)) return false;
  const time = parseTime(text, "auto");
  return typeof time === "number" && time >= EARLIEST * 1000 && time <= LATEST * 1000;
}
