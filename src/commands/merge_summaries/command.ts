import { Console } from "../../console/console.ts";
import { escapedLines } from "../../console/lines.ts";
import { counted } from "../../console/plural.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { outputConfig } from "../../settings/output_config.ts";
import type { MergeSummariesFlags } from "../../settings/settings.ts";
import { Logs, type SummaryEntry } from "./logs.ts";
import { isPartialMerge, type MergedSummary, mergeSummaries, worstExitCode } from "./merge.ts";
import { mergedJson, mergedText } from "./report.ts";

/**
 * Runs `merge-summaries` on files; resolves to the exit code. Throws a UsageError for a file that cannot be read, and
 * when no file holds a summary.
 */
export async function runMergeSummaries(
  paths: readonly string[],
  flags: MergeSummariesFlags,
  system: System,
): Promise<number> {
  if (paths.length === 0) {
    throw new UsageError(
      "merge-summaries needs a file: name the logs of send --output json, or - for standard input " +
        "(see otlp-histogram merge-summaries --help)",
    );
  }
  if (paths.filter((path) => path === "-").length > 1) {
    throw new UsageError("Standard input (-) is given twice: give it once");
  }
  const { format } = outputConfig(flags);
  const console = new Console(system, { format });
  const logs = new Logs(system);
  for (const path of paths) await logs.read(path);
  if (system.stop.aborted) {
    console.error("stopped before all was read: nothing was merged");
    return 1;
  }
  if (logs.entries.length === 0) throw noSummary(logs);
  const merged = mergeSummaries(logs.entries.map(({ summary }) => summary));
  const gaps = [...logGaps(logs), ...shardGapTexts(merged)];
  [...gaps, ...remarks(logs, merged)].forEach(console.warn);
  const worst = worstExitCode(merged.exitCodes);
  const exitCode = gaps.length > 0 ? worstExitCode(new Map([[worst, 1], [1, 1]])) : worst;
  const out = format === "json"
    ? [mergedJson(merged, exitCode)]
    : mergedText(merged).flatMap(escapedLines);
  console.print({ out, err: [] });
  return exitCode;
}

function noSummary({ cut, foreign }: Logs): UsageError {
  const found = cut.length > 0
    ? `the one on ${namesOf(cut)} is cut off`
    : foreign.length > 0
    ? `the one on ${namesOf(foreign)} is of another command`
    : "none of the lines holds one";
  return new UsageError(
    `Cannot find the summary of a send: ${found}. Run send with --output json, let it end, and pass what it prints ` +
      "on standard output",
  );
}

/** Reasons why processes are missing from the report: it must not pass for a whole one. */
function logGaps({ cut, silent, entries }: Logs): readonly string[] {
  const partial = entries.filter(({ summary }) => isPartialMerge(summary))
    .map(({ where }) => where);
  return [
    ...partial.length === 0 ? [] : [
      `A process was missing already from the merge on ${
        namesOf(partial)
      }. Merge all logs again once they are whole`,
    ],
    ...cut.length === 0 ? [] : [
      `${counted(cut.length, "summary is", "summaries are")} cut off and not counted: ${
        namesOf(cut)
      }. Fetch the whole log`,
    ],
    ...silent.length === 0 ? [] : [
      `No summary in ${namesOf(silent)}: the report lacks what ${
        silent.length === 1 ? "this process" : "these processes"
      } sent. Wait for the end of every process, and fetch its whole log`,
    ],
  ];
}

function shardGapTexts({ shards }: MergedSummary): readonly string[] {
  return shards.flatMap(({ of, missing, repeated }) => [
    ...missing.length === 0 ? [] : [
      `${shardsText(missing)} of ${of} ${
        missing.length === 1 ? "has" : "have"
      } no summary: the report lacks what ${
        missing.length === 1 ? "it" : "they"
      } sent. Add the log of ${missing.length === 1 ? "this shard" : "these shards"}`,
    ],
    ...repeated.length === 0 ? [] : [
      `${shardsText(repeated)} of ${of} ${
        repeated.length === 1 ? "has" : "have"
      } several summaries, and all of them count. Check whether ${
        repeated.length === 1 ? "it" : "they"
      } ran twice, or logs of two runs are mixed`,
    ],
  ]);
}

/** Remarks about summaries that count, or rightly do not. */
function remarks({ entries, twice, foreign }: Logs, merged: MergedSummary): readonly string[] {
  const { withoutLatency, withoutCapacity, processes } = merged;
  const broken = entries.filter(breaksLedger).map(({ where }) => where);
  return [
    ...twice.length === 0 ? [] : [
      `${counted(twice.length, "summary was", "summaries were")} found twice and counted once: ${
        namesOf(twice)
      }`,
    ],
    ...foreign.length === 0 ? [] : [
      `${
        counted(foreign.length, "summary is", "summaries are")
      } of another command than send and not counted: ${namesOf(foreign)}`,
    ],
    ...broken.length === 0 ? [] : [
      `recorded is not delivered + rejected + dropped + pending on ${namesOf(broken)}`,
    ],
    ...withoutLatency === 0 ? [] : [
      `Latency percentiles lack ${withoutLatency} of ${
        counted(processes, "process", "processes")
      }: an older version made the summary, or one with other buckets`,
    ],
    ...withoutCapacity === 0 ? [] : [
      `No capacity: ${withoutCapacity} of ${
        counted(processes, "process", "processes")
      } did not measure it`,
    ],
  ];
}

function breaksLedger({ summary: { counts } }: SummaryEntry): boolean {
  const { recorded, delivered, rejected, dropped, pending } = counts;
  return recorded !== delivered + rejected + dropped + pending;
}

/** Maximum number of items that a message names. */
const MOST_LISTED = 10;

function namesOf(items: readonly (string | number)[]): string {
  const more = items.length - MOST_LISTED;
  const shown = items.slice(0, MOST_LISTED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function shardsText(indexes: readonly number[]): string {
  return `${indexes.length === 1 ? "Shard" : "Shards"} ${namesOf(indexes)}`;
}
