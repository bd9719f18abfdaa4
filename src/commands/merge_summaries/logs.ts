import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { InputError } from "../../source/input/input_error.ts";
import { openRequestLines } from "../../source/replay/request_lines.ts";
import { findSummaries } from "./find.ts";
import { type NumberedText, PrettyLines } from "./pretty_lines.ts";
import { type ProcessSummary, readSummary } from "./summary.ts";

/** `[pod/NAME/CONTAINER] ` of kubectl logs --prefix, or `NAME  | ` of docker compose logs. */
const PREFIX = /^(?:\[(pod\/[^\]\s/]+)[^\]\s]*\] |([\w.-]+[-_]\d+) +\| )/;

/** Summary of a process, and where it stands. */
export interface SummaryEntry {
  /** Place for a message: `line 7 of "a.log"`. */
  readonly where: string;
  readonly summary: ProcessSummary;
}

/** Reads logs and keeps the summaries in them. */
export class Logs {
  readonly #system: System;
  readonly #entries: SummaryEntry[] = [];
  /** Number of summaries by origin: a pod, or a file without prefixes. */
  readonly #origins = new Map<string, number>();
  /** Place of each summary by its text. */
  readonly #known = new Map<string, string>();
  readonly #cut: string[] = [];
  readonly #twice: string[] = [];
  readonly #foreign: string[] = [];

  constructor(system: System) {
    this.#system = system;
  }

  get entries(): readonly SummaryEntry[] {
    return this.#entries;
  }

  /** Places of summaries that are cut off. */
  get cut(): readonly string[] {
    return this.#cut;
  }

  /** Places of summaries that are the same as one before, and do not count. */
  get twice(): readonly string[] {
    return this.#twice;
  }

  /** Places of summaries that another command printed. */
  get foreign(): readonly string[] {
    return this.#foreign;
  }

  /** Pods and files without a summary. */
  get silent(): readonly string[] {
    return [...this.#origins].flatMap(([origin, summaries]) => summaries === 0 ? [origin] : []);
  }

  /** Reads a file, or standard input for `-`. Throws a UsageError if it cannot be read. */
  async read(path: string): Promise<void> {
    const system = this.#system;
    const name = path === "-" ? "standard input" : `"${path}"`;
    let hasPrefixes = false;
    const before = this.#entries.length + this.#twice.length;
    const lines = await openRequestLines({ path, setting: "merge-summaries" }, system, system.stop);
    const pretty = new PrettyLines();
    const take = ({ number, text }: NumberedText) => {
      const [, pod, container] = PREFIX.exec(text) ?? [];
      const prefix = pod ?? container;
      hasPrefixes ||= prefix !== undefined;
      this.#line(text, prefix, `line ${number} of ${name}`);
    };
    try {
      for await (const { number, text } of lines) {
        if (text !== undefined) pretty.push({ number, text }).forEach(take);
      }
      pretty.end().forEach(take);
    } catch (thrown) {
      if (!(thrown instanceof InputError)) throw thrown;
      throw new UsageError(`Cannot read ${name} to its end: ${thrown.message}`);
    }
    const found = this.#entries.length + this.#twice.length - before;
    if (!hasPrefixes) this.#count(name, found);
  }

  #line(text: string, origin: string | undefined, where: string): void {
    if (origin !== undefined) this.#count(origin, 0);
    for (const found of findSummaries(text)) {
      if (found.kind === "cut") {
        this.#cut.push(where);
        continue;
      }
      const summary = readSummary(found.object);
      if (summary === undefined) {
        this.#foreign.push(where);
        continue;
      }
      if (origin !== undefined) this.#count(origin, 1);
      // Without its start, the summaries of two processes can have the same text.
      const key = summary.startTime === undefined ? where : JSON.stringify(found.object);
      const earlier = this.#known.get(key);
      if (earlier === undefined) {
        this.#known.set(key, where);
        this.#entries.push({ where, summary });
      } else this.#twice.push(`${where} (${earlier})`);
    }
  }

  #count(origin: string, summaries: number): void {
    this.#origins.set(origin, (this.#origins.get(origin) ?? 0) + summaries);
  }
}
