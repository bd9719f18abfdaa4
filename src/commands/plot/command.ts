import type { System } from "../../platform/system.ts";
import { conventionsFor } from "../../aggregate/metric_config.ts";
import { defaultBounds } from "../../aggregate/default_bounds.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { type PlotConfig, plotConfig } from "./plot_config.ts";
import type { PlotFlags } from "../../settings/settings.ts";
import { Console } from "../../console/console.ts";
import { counted, plural } from "../../console/plural.ts";
import { canvasOf, wrapWords } from "../../console/canvas.ts";
import { explicitBoundsOf } from "../../aggregate/aggregation.ts";
import { byInstrument } from "../../aggregate/measurement.ts";
import type { Instrument } from "../../aggregate/instrument.ts";
import { openRecording, type Recording } from "../../source/open.ts";
import type { Records } from "../../source/source.ts";
import { documentTexts } from "../../console/lines.ts";
import { LiveDrawing } from "../../console/live_drawing.ts";
import { cutShortText } from "../findings.ts";
import {
  drawing,
  finalDrawing,
  jsonTexts,
  type MetricSuggestion,
  plotCanvas,
  type PlotResult,
  suggestions,
  tellOfMeasurements,
} from "./result.ts";
import { PlotTable } from "./table.ts";

const REDRAW_MS = 1000;

/** Runs `plot`; resolves to the exit code. Throws a UsageError for invalid settings. */
export async function runPlot(flags: PlotFlags, system: System): Promise<number> {
  const variables = await readVariables(flags.envFile, system);
  // `plot` needs no secret, but its data may hold one.
  addKnownSecrets(system.secrets, {}, variables, system.env);
  const conventions = await conventionsFor(flags);
  return await plotMeasurements(plotConfig(flags, variables, conventions), system);
}

/** Draws measurements without sending them; resolves to the exit code. */
export async function plotMeasurements(config: PlotConfig, system: System): Promise<number> {
  const { format } = config.output;
  // Standard output holds the scenario, and nothing else.
  const console = new Console(
    system,
    format === "scenario" ? { format: "text", level: "quiet" } : { format },
  );
  const { warn, print } = console;
  config.warnings.forEach(warn);
  if (config.source.kind === "sample") await tellOfSamples(console, config, system);
  if (config.advice !== undefined && format === "text") {
    print({ out: wrapWords(config.advice.split(" "), 0, canvasOf(system).breakAt), err: [] });
  }
  const recording = await openDrawn(config, system, console);
  const { tables, add } = tablesOf(recording, config);
  const result = { tables, source: recording.source };
  const exponential = new Set(
    tables.filter(({ metric }) => metric.exponential).map(({ metric: { name } }) => name),
  );
  // A capture keeps the exponential buckets that it has.
  if (exponential.size > 0 && format !== "scenario" && config.source.kind !== "replay") {
    const names = [...exponential].join(", ");
    warn(`plot cannot draw exponential buckets and uses the default bounds instead: ${names}`);
  }
  const live = config.follow && format === "text" && system.columns !== undefined
    ? new LiveDrawing(system)
    : undefined;
  const redraw = () => {
    console.clear();
    live?.draw(drawing(result, plotCanvas(config, system)));
  };
  try {
    await recordAll(recording, recordsOf(tables, add), live && redraw, system);
  } finally {
    recording.close();
    live?.clear();
  }
  const { invalid, skipped, broken, matchesNothing, unfinished } = recording.source.status;
  const progress = system.stop.aborted ? unfinished : undefined;
  const isPrinted = await printResult(result, config, console, system);
  if (format !== "text") {
    if (skipped > 0) {
      warn(`${inputLines(skipped)} excluded: ${plural(skipped, "it does", "they do")} not match`);
    }
    if (invalid > 0) warn(`${inputLines(invalid)} invalid and not counted`);
  }
  if (progress !== undefined) {
    console.error(`${cutShortText(progress)}; the measurements so far are drawn`);
  }
  if (broken !== undefined) {
    console.error(
      `could not read the rest of the input: ${broken}; everything before that is drawn`,
    );
  }
  const isWhole = invalid === 0 && broken === undefined && progress === undefined;
  return isPrinted && isWhole && !matchesNothing ? 0 : 1;
}

/** Source whose measurements are drawn, with the metrics that are known before it is read. */
type Drawn = Pick<Recording, "source" | "instruments" | "maxSeries" | "close">;

async function openDrawn(
  config: PlotConfig,
  system: System,
  console: Console,
): Promise<Drawn> {
  const { source } = config;
  if (source.kind !== "replay") {
    return await openRecording(config, system, console, { eachPhase: true });
  }
  const { openCapture } = await import("../../source/replay/capture.ts");
  return await openCapture(source, system, { warn: console.warn, note: console.aside });
}

/** Prints what came of it; resolves to whether that could be done. */
async function printResult(
  result: PlotResult,
  config: PlotConfig,
  console: Console,
  system: System,
): Promise<boolean> {
  const { warn } = console;
  const canvas = plotCanvas(config, system);
  tellOfMeasurements(result, config, warn);
  const suggested = suggestions(result, config, warn);
  switch (config.output.format) {
    case "text":
      console.print({ out: finalDrawing(result, suggested, config, canvas), err: [] });
      return true;
    case "json":
      await console.stream(jsonTexts(result, suggested, canvas.hide), system.printed);
      return true;
    case "scenario": {
      if (config.source.kind === "scenario") {
        const text = await givenScenarioText(config.source.path, suggested, config, system);
        await console.stream(documentTexts([text]), system.printed);
        return true;
      }
      const { scenarioOf } = await import("./scenario.ts");
      const metrics = result.tables.map((table) => ({
        table,
        bounds: suggested.find(({ metric }) => metric === table.metric)?.found.suggestion.bounds ??
          table.metric.bounds,
      }));
      const scenario = scenarioOf(metrics, canvas.hide, warn);
      if ("text" in scenario) {
        await console.stream(documentTexts([scenario.text]), system.printed);
        return true;
      }
      console.error(
        ["This cannot be written as a scenario:", ...scenario.problems].join("\n  "),
      );
      return false;
    }
  }
}

/** Returns the scenario at `path` as a scenario: what was drawn of it has lost its phases and its churn. */
async function givenScenarioText(
  path: string,
  suggested: readonly MetricSuggestion[],
  { metric: { attributes } }: PlotConfig,
  system: System,
): Promise<string> {
  const { readScenario } = await import("../../source/generate/built_in_scenario.ts");
  const { givenScenario } = await import("./given_scenario.ts");
  const bounds = new Map(
    suggested.map(({ metric, found }) => [metric.name, found.suggestion.bounds] as const),
  );
  return givenScenario(await readScenario(path, system), { bounds, attributes });
}

const SAMPLES =
  "Showing the five built-in samples. To plot your own, use --value N, --input FILE, " +
  "or --input - for standard input.";
const STDIN_IGNORED =
  "standard input is a pipe or a file, but sample measurements are drawn: to draw the " +
  "measurements in it, add --input -";

async function tellOfSamples(
  { warn, print }: Console,
  { output: { format } }: PlotConfig,
  system: System,
): Promise<void> {
  if (format === "text") {
    print({ out: wrapWords(SAMPLES.split(" "), 0, canvasOf(system).breakAt), err: [] });
  }
  if (await system.stdinHasData()) warn(STDIN_IGNORED);
  else if (format === "json") warn(SAMPLES);
}

function inputLines(count: number): string {
  return counted(count, "line of the input is", "lines of the input are");
}

/** Records until the source ends or a signal arrives, and redraws meanwhile if that is visible. */
async function recordAll(
  { source }: Drawn,
  records: Records,
  redraw: (() => void) | undefined,
  { clock, stop }: System,
): Promise<void> {
  let ended = false;
  do {
    const until = redraw === undefined ? Infinity : clock.monotonic() + REDRAW_MS;
    const filled = await source.fill(records, until, stop);
    ended = filled.ended || source.kind === "pull";
    if (!ended && !stop.aborted) redraw?.();
  } while (!ended && !stop.aborted);
  source.close();
}

/** Creates the recorder that a source writes to. */
function recordsOf(
  tables: readonly PlotTable[],
  add: (instrument: Instrument) => number,
): Records {
  const table = (instrument: number) => {
    const found = tables[instrument];
    if (found === undefined) throw new RangeError(`There is no instrument ${instrument}`);
    return found;
  };
  return {
    add(batch, instrument = 0) {
      for (const [index, part] of byInstrument(batch, instrument)) table(index).record(part);
    },
    addHistograms: (batch: Parameters<PlotTable["recordHistograms"]>[0], instrument = 0) =>
      table(instrument).recordHistograms(batch),
    addInstrument: add,
    isFull: false,
  };
}

/** Creates a table per metric; --max-series limits all of them together. */
function tablesOf(
  { instruments, ...recording }: Pick<Recording, "instruments" | "maxSeries">,
  { metric }: PlotConfig,
): { readonly tables: readonly PlotTable[]; readonly add: (instrument: Instrument) => number } {
  const { maxSeries = metric.maxSeries } = recording;
  const tables: PlotTable[] = [];
  // Merging reuses the slot of the metric's newest series. A metric without any series needs a slot of its own.
  const hasRoom = (): boolean =>
    tables.reduce((sum, { size }) => sum + size, 0) < Math.max(1, maxSeries - (tables.length - 1));
  const add = ({ name, unit, description, bounds, attributes, identity, phase }: Instrument) =>
    tables.push(
      new PlotTable(
        {
          ...{ name, unit, description, attributes, identity, phase },
          bounds: explicitBoundsOf(bounds) ?? defaultBounds(unit),
          exponential: bounds === "exponential",
        },
        hasRoom,
      ),
    ) - 1;
  instruments.forEach(add);
  return { tables, add };
}
