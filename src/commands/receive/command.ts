import { canvasOf } from "../../console/canvas.ts";
import { Console } from "../../console/console.ts";
import { escapeJson } from "../../console/escape.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import type { StartCommand } from "../../platform/command.ts";
import type { System } from "../../platform/system.ts";
import type { ReceiveFlags } from "../../settings/settings.ts";
import { commandFailure } from "../command_end.ts";
import { annotation, Annotations } from "./annotations.ts";
import { BoundsAdvice } from "./bounds_advice.ts";
import { commandEnvironment } from "./command_environment.ts";
import { Gate, type GateResult } from "./gate.ts";
import { readOptions, type ReceiveOptions } from "./options.ts";
import { isLoopback } from "./page/guard.ts";
import type { Page } from "./page/page.ts";
import { examFailures, type ExamVerdict } from "./exam.ts";
import {
  examJson,
  examText,
  receiveSummaryJson,
  receiveSummaryText,
  requestJson,
  requestText,
} from "./report.ts";
import type { ReportFiles } from "./report_files.ts";
import { SaveFile, type SaveOptions } from "./save_file.ts";
import { type Receiver, type ReceiverOptions, type Remarks, startReceiver } from "./server.ts";
import { type RequestEvent, withoutSecrets } from "./event.ts";
import { RequestTotals } from "./totals.ts";

/** Runs `receive` until it is stopped or has answered `--requests`; resolves to the exit code. */
export async function runReceive(flags: ReceiveFlags, system: System): Promise<number> {
  return await receive({ ...await readOptions(flags, system), ...workflow(system) }, system);
}

/**
 * Runs `receive` around a command, which sends to it and with which it ends. Everything that it prints goes to
 * standard error, since the command has the other streams. Resolves to the exit code.
 */
export async function runReceiveAround(
  words: readonly string[],
  flags: ReceiveFlags,
  system: System,
  start: StartCommand,
): Promise<number> {
  if (flags.requests !== undefined) {
    throw new UsageError(
      "--requests cannot be used with COMMAND, which ends receive itself: remove --requests",
    );
  }
  const options = await readOptions({ ...flags, port: flags.port ?? "0" }, system);
  const beside: System = {
    ...system,
    stdout: system.stderr,
    workflowCommand: (_, line) => system.workflowCommand("stderr", line),
  };
  const around = (receiver: Receiver) => runAround(receiver, words, flags, options, system, start);
  return await receive({ ...options, ...workflow(system) }, beside, around);
}

/** Reads what a workflow of GitHub Actions expects. */
function workflow({ env }: System) {
  return {
    annotate: env("GITHUB_ACTIONS") === "true",
    stepSummary: env("GITHUB_STEP_SUMMARY") || undefined,
  };
}

/** Work that is done while a receiver listens, which ends with it. */
type Around = (receiver: Receiver) => Promise<{
  /** Exit code that overrides the gate's, unless it is 0. */
  readonly status: number;
  /** Reason why the run fails, one sentence; undefined if it does not. */
  readonly failure: string | undefined;
  /** Whether the work ended by itself, so that nothing more can come. */
  readonly hasEndedItself: boolean;
}>;

/** Time that a command has to end after SIGTERM, in ms, when `--wait` or an exam is over. */
const TERMINATE_MS = 10_000;

async function runAround(
  receiver: Receiver,
  words: readonly string[],
  flags: ReceiveFlags,
  { waitMs, receiver: { host, exam } }: Pick<ReceiveOptions, "waitMs" | "receiver">,
  system: System,
  start: StartCommand,
): ReturnType<Around> {
  const { clock } = system;
  const env = commandEnvironment({ url: receiver.url, host, tlsCert: flags.tlsCert }, system);
  const command = await start({ words, env, forcedStatus: (status) => status || 1 });
  const off = new AbortController();
  let terminated: "late" | "examined" | undefined;
  const terminate = async (why: "late" | "examined") => {
    if (off.signal.aborted || terminated !== undefined) return;
    terminated = why;
    command.kill("SIGTERM");
    await clock.sleep(TERMINATE_MS, off.signal);
    if (!off.signal.aborted) command.kill("SIGKILL");
  };
  if (waitMs !== undefined) clock.sleep(waitMs, off.signal).then(() => terminate("late"));
  exam?.over.then(() => terminate("examined"));
  const end = await command.ended;
  off.abort();
  await receiver.stopAfterLast();
  const [name = ""] = words;
  switch (terminated) {
    case "late": {
      const failure = `--wait was over before "${name}" ended; it got SIGTERM`;
      return { status: 1, failure, hasEndedItself: false };
    }
    case "examined":
      return { status: 0, failure: undefined, hasEndedItself: false };
    default: {
      const hasEndedItself = !system.stop.aborted;
      return { status: end.status, failure: commandFailure(name, end), hasEndedItself };
    }
  }
}

/** Listens, reports requests, and ends as the gate says; resolves to the exit code. */
export async function receive(
  options: ReceiveOptions,
  system: System,
  around?: Around,
): Promise<number> {
  const { output, receiver: { requests, exam } } = options;
  const json = output === "json";
  const console = new Console(system, { format: output });
  const { print } = console;
  const hide = system.secrets.hideInData;
  const gate = new Gate(options.gate, hide);
  const files = await openReportFiles(options);
  const save = await openSave(options.save, console, system);
  const page = options.ui ? await openPage(options, system) : undefined;
  const totals = json ? undefined : new RequestTotals(hide);
  const annotations = new Annotations();
  const advice = json ? undefined : new BoundsAdvice();
  // Under --output json standard output holds nothing but objects; GitHub reads both.
  const annotate = (lines: readonly string[]) => {
    if (!options.annotate) return;
    for (const line of lines) system.workflowCommand(json ? "stderr" : "stdout", line);
  };
  const emit = (arrived: RequestEvent) => {
    const event = gate.mark(arrived);
    gate.add(event);
    save?.(event);
    totals?.add(event);
    advice?.add(event.problems);
    const shown = withoutSecrets(event, hide);
    page?.record(shown);
    const text = json ? requestJson(shown, hide) : requestText(shown, canvasOf(system, { hide }));
    print({ out: [text], err: [] });
    annotate(annotations.of(shown.problems));
  };

  const start = { at: system.clock.wall(), monotonic: system.clock.monotonic() };
  const receiver = listen(options.receiver, emit, page, console);
  announce(receiver.url, page, options, console);
  const off = new AbortController();
  onAbort(system.stop, off.signal, () => receiver.stop());
  onAbort(system.kill, off.signal, () => receiver.kill());
  if (around === undefined) exam?.over.then(() => receiver.stop());
  let waited = false;
  if (options.waitMs !== undefined && around === undefined) {
    system.clock.sleep(options.waitMs, off.signal).then(() => {
      if (off.signal.aborted) return;
      waited = true;
      receiver.stop();
    });
  }
  const command = await around?.(receiver);
  const summary = await receiver.finished;
  off.abort();

  const lacking = waited && requests !== undefined ? Math.max(0, requests - summary.requests) : 0;
  const unsaved = save?.close() ?? 0;
  const verdicts = exam?.end({ hasExporterEnded: command?.hasEndedItself ?? false }) ?? [];
  const judged = withExam(gate.result({ lacking, unsaved }), verdicts);
  const result = command?.failure === undefined
    ? judged
    : withCommandFailure(judged, command.failure);
  annotate(
    result.failures.map((failure) => annotation("error", "otlp-histogram receive", failure)),
  );
  const report = {
    ...{ summary, gate: result, startedAt: start.at },
    lengthMs: system.clock.monotonic() - start.monotonic,
    exitCode: command?.status || (result.failures.length > 0 ? 1 : 0),
  };
  const exitCode = files?.write(report, console) ?? report.exitCode;
  print({ out: totals?.draw(canvasOf(system)) ?? [], err: [] });
  print({ out: advice?.lines(hide) ?? [], err: [] });
  print({ out: json ? examJson(verdicts) : examText(verdicts), err: [] });
  const last = json
    ? receiveSummaryJson(summary, result, exitCode)
    : receiveSummaryText(summary, result);
  print({ out: [last], err: [] });
  return exitCode;
}

async function openReportFiles(options: ReceiveOptions): Promise<ReportFiles | undefined> {
  if (options.junit === undefined && options.stepSummary === undefined) return undefined;
  return (await import("./report_files.ts")).ReportFiles.open(options);
}

/** Adds the verdicts of an exam to the checks of a gate. */
function withExam(gate: GateResult, verdicts: readonly ExamVerdict[]): GateResult {
  return {
    ...gate,
    checks: [...gate.checks, ...verdicts.map((verdict) => ({ kind: "exam" as const, ...verdict }))],
    failures: [...gate.failures, ...examFailures(verdicts)],
  };
}

/** Puts the failure of COMMAND before those of the gate. */
function withCommandFailure(gate: GateResult, failure: string): GateResult {
  return {
    ...gate,
    checks: [{ kind: "run", name: "COMMAND", ok: false, detail: failure }, ...gate.checks],
    failures: [failure, ...gate.failures],
  };
}

interface Save {
  (event: RequestEvent): void;
  /** Closes the file; returns the number of accepted requests that are not in it. */
  close(): number;
}

async function openSave(
  options: SaveOptions | undefined,
  { warn, aside }: Console,
  { clock }: System,
): Promise<Save | undefined> {
  if (options === undefined) return undefined;
  const { toJsonRequest } = await import("../../otlp/json_request.ts");
  const file = await SaveFile.openForAppend(options, { clock, warn, note: aside });
  return Object.assign((event: RequestEvent) => file.add(event, toJsonRequest), {
    close() {
      file.close();
      if (file.unsaved > 1) {
        warn(`${file.unsaved} accepted requests are not in "${options.path}"`);
      }
      return file.unsaved;
    },
  });
}

/** Creates the page of the receiver that `receiver` configures. */
export async function openPage(
  { receiver, rules }: Pick<ReceiveOptions, "receiver" | "rules">,
  system: System,
): Promise<Page> {
  const { createPage } = await import("./page/page.ts");
  return createPage({
    host: receiver.host,
    scheme: receiver.tls === undefined ? "http" : "https",
    token: receiver.token,
    rules,
    clock: system.clock,
    hide: system.secrets.hideInData,
  });
}

function announce(
  url: string,
  page: Page | undefined,
  { output, receiver: { host, token } }: ReceiveOptions,
  { print, warn }: Console,
): void {
  const json = output === "json";
  const at = page === undefined ? {} : { page: new URL("/", url).href };
  if (json) print({ out: [], err: [escapeJson({ type: "listening", url, ...at })] });
  else {
    const out = [`Listening on ${url}`, ...at.page === undefined ? [] : [`Page: ${at.page}`]];
    print({ out, err: [] });
  }
  if (page !== undefined && !isLoopback(host)) {
    const who = token === undefined
      ? "anyone who can connect sees all received data; use --token-file to require a token"
      : "anyone with the token sees all received data";
    warn(`the page is served on --host "${host}", which is not loopback: ${who}`);
  }
}

function listen(
  options: ReceiverOptions,
  emit: (event: RequestEvent) => void,
  page: Page | undefined,
  remarks: Remarks,
): Receiver {
  try {
    return startReceiver(options, emit, page, remarks);
  } catch (thrown) {
    const where = `--host "${options.host}" --port "${options.port}"`;
    if (thrown instanceof Deno.errors.AddrInUse) {
      throw new UsageError(
        `Cannot listen on ${where}: the port is in use. Use another port (0 picks a free one)`,
      );
    }
    const tls = options.tls === undefined ? "" : ", or --tls-cert and --tls-key that match";
    throw new UsageError(
      `Cannot listen on ${where}: ${
        messageOf(thrown)
      }; expected an address of this machine and a ` +
        `port that you may open${tls}`,
    );
  }
}

function onAbort(signal: AbortSignal, off: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true, signal: off });
}
