import type { Clock } from "../../platform/clock.ts";
import { counted } from "../../console/plural.ts";
import type { Input } from "./input.ts";
import { InputError } from "./input_error.ts";
import type { InputWords } from "./input_words.ts";
import type { LiveSource, RecordFamilies, Records } from "../source.ts";

/** Optional parts of a source that reads an input. */
export interface InputExtras {
  /** Writer of the messages about it. */
  readonly words?: InputWords | undefined;
  /** Path of a followed file. */
  readonly path?: string | undefined;
  /** Only a signal ends it, so that a signal cuts nothing short. */
  readonly isEndless?: boolean | undefined;
}

/**
 * Makes the source of an input's measurements. The input is read all the time, also during a send, and recorded as it
 * comes; after `hold(true)`, or when the recorder is full, reading stops until there is room.
 */
export function inputSource(
  input: Input,
  clock: Clock,
  recordFamilies: RecordFamilies,
  { words, path, isEndless = false }: InputExtras = {},
): LiveSource {
  let started = false;
  let closed = false;
  let held = false;
  let recorded = 0;
  /** Lines up to the last one that was recorded. */
  let lines = 0;
  let ended = false;
  let broken: string | undefined;
  let failure: { readonly error: unknown } | undefined;
  let arrived = () => {};
  let place = input.place;
  let room: PromiseWithResolvers<void> | undefined;
  const goOn = () => {
    room?.resolve();
    room = undefined;
  };
  const readAll = async (recorder: Records) => {
    try {
      for await (const batch of input) {
        if (closed) return;
        const { measurements, histograms, exposed } = batch;
        words?.read(input);
        recorder.add(measurements);
        recorder.addHistograms(histograms);
        recorded += histograms.reduce((sum, { count }) => sum + count, measurements.length);
        if (exposed.length > 0) recorded += recordFamilies(recorder, exposed);
        place = batch.place;
        lines = input.progress.lines;
        arrived();
        while ((held || recorder.isFull) && !closed) {
          room ??= Promise.withResolvers();
          await room.promise;
        }
        if (closed) return;
      }
    } finally {
      words?.end(input);
    }
  };
  const read = async (recorder: Records) => {
    try {
      await readAll(recorder);
    } catch (error) {
      if (error instanceof InputError) broken = error.message;
      else failure = { error };
    }
    ended = true;
    arrived();
  };
  return {
    kind: "live",
    get status() {
      const { invalid, skipped, matchesNothing, isWhole } = input.progress;
      const checkpoint = path === undefined || place === undefined
        ? undefined
        : { id: path, value: place };
      const unfinished = isWhole || isEndless
        ? undefined
        : `${counted(lines, "line of the input was", "lines of the input were")} read`;
      return { invalid, skipped, matchesNothing, broken, checkpoint, unfinished };
    },
    hold(waiting) {
      held = waiting;
      goOn();
    },
    close() {
      closed = true;
      goOn();
    },
    async fill(recorder, until, stop) {
      if (!started) read(recorder);
      started = true;
      goOn();
      const enough = () =>
        ended || (recorder.isFull && !held) ||
        (until === undefined ? recorded > 0 : clock.monotonic() >= until);
      while (!enough() && !stop.aborted) {
        const wake = new AbortController();
        arrived = () => enough() && wake.abort();
        const left = until === undefined ? Infinity : until - clock.monotonic();
        await clock.sleep(left, AbortSignal.any([stop, wake.signal]));
      }
      // A UsageError (a CSV without the column) or a fault of this program: no data that broke off.
      if (failure !== undefined) throw failure.error;
      words?.more();
      const measurements = recorded;
      recorded = 0;
      return { measurements, ended };
    },
  };
}
