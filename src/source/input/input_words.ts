import type { Clock } from "../../platform/clock.ts";
import { oneLine } from "../../console/escape.ts";
import { clip } from "../../redact/clip.ts";
import { counted } from "../../console/plural.ts";
import type { Input } from "./input.ts";

/** Maximum number of unusable lines that are reported one by one. */
const MOST_NAMED = 10;
/** Minimum time between two reports of how many more a live input has. */
const SUMMARY_EVERY_MS = 5000;
const MOST_EXAMPLE = 40;
/** Maximum number of a line's fields that a message lists. */
const MOST_NAMES = 20;
/** Times before that are hardly those of a log: a duration, a date such as 20261201 and a spreadsheet's 46357.5 are read so. */
const EARLIEST_LOG = Date.UTC(1980);

/** Writer of the warnings about an input, while it is read and at its end. */
export class InputWords {
  readonly #several: boolean;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  #named = 0;
  /** Number of unusable lines that are not reported yet. */
  #unsaid = 0;
  #saidAt = -Infinity;
  /** The measurements have a time, or are measured as they come. */
  #isTimed: boolean;
  /** The field of --time-field, until its times are doubted. */
  #timeField: string | undefined;
  #ended = false;

  constructor(
    { several, hasTime, timeField }: {
      readonly several: boolean;
      readonly hasTime: boolean;
      readonly timeField?: string | undefined;
    },
    clock: Clock,
    warn: (message: string) => void,
  ) {
    this.#several = several;
    this.#isTimed = hasTime;
    this.#timeField = timeField;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Reports that a line cannot be used; without a number it is more than a line. */
  invalid(line: number | undefined, reason: string, name: string): void {
    if (this.#named >= MOST_NAMED) {
      this.#unsaid++;
      return;
    }
    this.#named++;
    this.#saidAt = this.#clock.monotonic();
    const where = this.#several ? `${name === "" ? "standard input" : oneLine(name)}: ` : "";
    this.#warn(
      line === undefined
        ? `${where}not used: ${oneLine(reason)}`
        : `${where}line ${line} not used: ${reason}`,
    );
  }

  /** An attribute has so many values that every line may be a series of its own. */
  manyValues(field: string, examples: readonly string[]): void {
    const some = examples.map((text) => JSON.stringify(clip(text, MOST_EXAMPLE))).join(", ");
    this.#warn(
      `"${oneLine(field)}" has more than 1,000 different values (${
        oneLine(some)
      }, …): is this an identifier? ` +
        "Each value is a separate series: remove this attribute",
    );
  }

  /** An attribute has text that is not UTF-8. */
  notUtf8(field: string, text: string): void {
    this.#warn(
      `"${oneLine(field)}" has text that is not UTF-8 (${
        oneLine(JSON.stringify(clip(text, MOST_EXAMPLE)))
      }): different values may have become one series. Convert the input first, for example ` +
        "iconv -f ISO-8859-1 -t UTF-8 FILE | otlp-histogram --input -",
    );
  }

  /** The `request_time` of an access log is a plain number, and no flag names its unit. */
  noUnit(unit: string): void {
    this.#warn(
      `"request_time" has no unit and is read as ${unit}. nginx writes seconds, and Apache's %D ` +
        "microseconds: describe the lines with --log-format, or set --scale or --unit",
    );
  }

  /** A measurement has this time, in ms since 1970. */
  time(time: number): void {
    if (this.#timeField === undefined || time >= EARLIEST_LOG) return;
    this.#warn(
      `"${oneLine(this.#timeField)}" has the time ${
        new Date(time).toISOString()
      }. If that is wrong, ` +
        "name another field with --time-field, or its unit with --time-format",
    );
    this.#timeField = undefined;
  }

  /** Some of the input has been read. */
  read(input: Input): void {
    this.#hint(input);
    this.more();
  }

  /** Says how many lines were not used since the last time, if that is a while ago. */
  more(): void {
    if (this.#clock.monotonic() - this.#saidAt >= SUMMARY_EVERY_MS) this.#sayMore();
  }

  /** The input has ended, or is left. */
  end(input: Input): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hint(input);
    this.#sayMore();
    if (input.progress.matchesNothing) {
      const { skipped } = input.progress;
      this.#warn(
        `the pattern matched none of ${
          counted(skipped, "line", "lines")
        }: compare it with one of them`,
      );
    }
    const { measurements, histograms, invalid } = input.progress;
    const sample = input.fieldSample?.();
    if (measurements + histograms === 0 && invalid > 0 && sample !== undefined) {
      const names = sample.names.slice(0, MOST_NAMES).map((name) => clip(name, MOST_EXAMPLE));
      this.#warn(
        `no line gave a value: they were read as ${sample.format}, and one has the fields ${
          oneLine(names.map((name) => JSON.stringify(name)).join(", "))
        }. Name the one with the value with --value-field, or describe other lines with --pattern ` +
          "or --log-format",
      );
    }
    for (const field of input.unseenValues?.() ?? []) {
      this.#warn(
        `no line has a value in a field named "${
          oneLine(field)
        }" (--value-field). Check the spelling`,
      );
    }
    const unseen = input.unseenFields();
    for (const field of unseen) {
      this.#warn(
        `no line has a field named "${
          oneLine(field)
        }" (--attr-field or --where). Check the spelling`,
      );
    }
  }

  #sayMore(): void {
    if (this.#unsaid === 0) return;
    const lines = counted(this.#unsaid, "more line was", "more lines were");
    this.#unsaid = 0;
    this.#saidAt = this.#clock.monotonic();
    this.#warn(`${lines} not used`);
  }

  #hint(input: Input): void {
    const field = this.#isTimed ? undefined : input.looksTimed();
    if (field === undefined) return;
    this.#isTimed = true;
    this.#warn(
      `the lines have a time in "${
        oneLine(field)
      }", but count as measured now. To count each at its time, set --time-field ` +
        `${/^[\w.@-]+$/.test(field) ? field : `'${oneLine(field)}'`}`,
    );
  }
}
