import { redactTokens } from "../../redact/redact.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { System } from "../../platform/system.ts";
import { defaultBounds } from "../../aggregate/default_bounds.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { outputConfig } from "../../settings/output_config.ts";
import { type PlotConfig, plotConfig } from "./plot_config.ts";
import type { PlotFlags } from "../../settings/settings.ts";
import { Console } from "../../console/console.ts";
import { counted, plural } from "../../console/plural.ts";
import { canvasOf, wrapWords } from "../../console/canvas.ts";
import { explicitBoundsOf } from "../../aggregate/aggregation.ts";
import type { Instrument } from "../../aggregate/instrument.ts";
import { openRecording, type Recording } from "../../source/open.ts";
import type { Records } from "../../source/source.ts";
import { seriesJson, suggestionJson } from "./json.ts";
import { LiveDrawing } from "../../console/live_drawing.ts";
import { largestFirst, PlotTable } from "./table.ts";
import { MOST_SUGGESTED_FOR, suggestedFor } from "./suggested.ts";
import { suggestionLines, tableLines, totalLines } from "./text.ts";

const REDRAW_MS = 1000;

/** Runs `plot`; resolves to the exit code. Throws a UsageError for invalid settings. */
export async function runPlot(flags: PlotFlags, system: System): Promise<number> {
  const console = new Console(system, outputConfig(flags));
  const variables = await readVariables(flags.envFile, system);
  // `plot` needs no secret, but its data may hold one.
  addKnownSecrets(system.secrets, {}, variables, system.env);
  return await plotMeasurements(plotConfig(flags, variables), system, console);
}

/** Draws measurements without sending them; resolves to the exit code. */
export async function plotMeasurements(
  config: PlotConfig,
  system: System,
  console = new Console(system, config.output),
): Promise<number> {
  const { format } = config.output;
  const { warn } = console;
  config.warnings.forEach(warn);
  if (config.source.kind === "sample") await tellOfSamples(console, config, system);
  const recording = await openRecording(config, system, console);
  const exponential = recording.instruments.filter(({ bounds }) => bounds === "exponential");
  if (exponential.length > 0) {
    const names = exponential.map(({ name }) => name).join(", ");
    warn(`plot draws no exponential buckets, but the default bounds in their place: ${names}`);
  }
  const { tables, add } = tablesOf(recording, config);
  const live = config.follow && format === "text" && system.columns !== undefined
    ? new LiveDrawing(system)
    : undefined;
  let ended = false;
  try {
    ended = await recordAll(
      recording,
      tables,
      recordsOf(tables, add),
      { live, console },
      config,
      system,
    );
  } finally {
    recording.close();
    live?.clear();
  }
  const { invalid, skipped, broken, matchesNothing } = recording.source.status;
  console.print({ out: finalLines(tables, recording, config, system, warn), err: [] });
  if (format === "json") {
    if (skipped > 0) warn(`${inputLines(skipped)} skipped: they do not match`);
    if (invalid > 0) warn(`${inputLines(invalid)} invalid, and not counted`);
  }
  // A signal is the only end of a followed input.
  if (!ended && !config.follow) {
    warn("stopped before the end of the input: what came until then is counted");
  }
  if (broken !== undefined) {
    console.error(`the input broke off: ${broken}; what came before it is drawn`);
  }
  return invalid > 0 || broken !== undefined || matchesNothing ? 1 : 0;
}

const SAMPLES =
  "No measurements are named: these five are made-up samples. To draw your own, add --value N, " +
  "or --input FILE (- is standard input).";
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

/**
 * Records until the source ends or a signal arrives, and redraws meanwhile if that is visible. Resolves to whether the
 * source ended.
 */
async function recordAll(
  { source }: Recording,
  tables: readonly PlotTable[],
  records: Records,
  { live, console }: { readonly live: LiveDrawing | undefined; readonly console: Console },
  config: PlotConfig,
  system: System,
): Promise<boolean> {
  const { clock, stop } = system;
  let ended = false;
  while (!ended && !stop.aborted) {
    const until = live === undefined ? Infinity : clock.monotonic() + REDRAW_MS;
    const filled = await source.fill(records, until, stop);
    ended = filled.ended || source.kind === "pull";
    if (live === undefined || ended || stop.aborted) continue;
    console.clear();
    live.draw(drawing(tables, source, config, system));
  }
  source.close();
  return ended;
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
    add: (batch: Parameters<PlotTable["record"]>[0], instrument = 0) =>
      table(instrument).record(batch),
    addHistograms: (batch: Parameters<PlotTable["recordHistograms"]>[0], instrument = 0) =>
      table(instrument).recordHistograms(batch),
    addInstrument: add,
    isFull: false,
  };
}

/** Creates a table per metric; --max-series limits all of them together. */
function tablesOf(
  { instruments }: Pick<Recording, "instruments">,
  { metric: { maxSeries } }: PlotConfig,
): { readonly tables: readonly PlotTable[]; readonly add: (instrument: Instrument) => number } {
  const tables: PlotTable[] = [];
  // Merging reuses the slot of the metric's newest series. A metric without any series needs a slot of its own.
  const hasRoom = (): boolean =>
    tables.reduce((sum, { size }) => sum + size, 0) < Math.max(1, maxSeries - (tables.length - 1));
  const add = ({ name, unit, bounds, attributes }: Instrument) =>
    tables.push(
      new PlotTable(
        { name, unit, attributes, bounds: explicitBoundsOf(bounds) ?? defaultBounds(unit) },
        hasRoom,
      ),
    ) - 1;
  instruments.forEach(add);
  return { tables, add };
}

/** Draws the current state as lines of text. */
function drawing(
  tables: readonly PlotTable[],
  { status: { invalid, skipped } }: Recording["source"],
  { color }: PlotConfig,
  system: System,
): string[] {
  const canvas = canvasOf(system, { color, hide: hiderOf(system) });
  return [
    ...tables.flatMap((table) => tableLines(table, canvas)),
    ...totalLines({ tables, invalid, skipped }, canvas),
  ];
}

function finalLines(
  tables: readonly PlotTable[],
  { source }: Recording,
  config: PlotConfig,
  system: System,
  warn: (message: string) => void,
): readonly string[] {
  const { output: { format }, suggest, color, metric: { maxSeries } } = config;
  const total = (of: (table: PlotTable) => number) =>
    tables.reduce((sum, table) => sum + of(table), 0);
  const folded = total(({ folded }) => folded);
  if (folded > 0) {
    warn(
      `${
        counted(folded, "measurement shares", "measurements share")
      } one series (otel.metric.overflow=true): there are more series than ` +
        `--max-series ${maxSeries}`,
    );
  }
  const refused = total(({ refused }) => refused);
  if (refused > 0) {
    warn(
      `${counted(refused, "measurement is", "measurements are")} not counted: ${
        plural(refused, "it is", "they are")
      } negative or no finite number`,
    );
  }
  if (total(({ size }) => size) === 0) warn("there are no measurements to draw");
  if (suggest !== undefined && tables.some(({ size }) => size > MOST_SUGGESTED_FOR)) {
    warn(
      `buckets are suggested for the ${MOST_SUGGESTED_FOR} series of a metric with the most measurements`,
    );
  }
  const suggested = suggest === undefined ? [] : tables.flatMap((table) => {
    const found = suggestedFor(table, suggest);
    return found === undefined ? [] : [{ metric: table.metric, found }];
  });
  if (suggest !== undefined && suggested.length === 0 && total(({ size }) => size) > 0) {
    warn("no buckets are suggested: that takes values, and only histograms of them came");
  }
  if (format === "json") {
    const several = tables.length > 1;
    return [
      ...tables.flatMap((table) =>
        largestFirst(table).map((series) => seriesJson(table.metric, series, hiderOf(system)))
      ),
      ...suggested.map(({ metric, found: { suggestion, worstErrorNow } }) =>
        suggestionJson(
          suggestion,
          worstErrorNow,
          several ? hiderOf(system)(metric.name) : undefined,
        )
      ),
    ];
  }
  const canvas = canvasOf(system, { color, hide: hiderOf(system) });
  return [
    ...drawing(tables, source, config, system),
    ...suggested.flatMap(({ metric, found }) =>
      suggestionLines(metric, found, config.source.kind, canvas)
    ),
  ];
}

function hiderOf({ secrets }: System): Hide {
  return (text) => redactTokens(secrets.hide(text));
}
