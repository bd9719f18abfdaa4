import { canvasOf } from "../../console/canvas.ts";
import { Console } from "../../console/console.ts";
import { escapeJson } from "../../console/escape.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import type { ReceiveFlags } from "../../settings/settings.ts";
import { annotation, Annotations } from "./annotations.ts";
import { Gate } from "./gate.ts";
import { readOptions, type ReceiveOptions } from "./options.ts";
import { isLoopback } from "./page/guard.ts";
import type { Page } from "./page/page.ts";
import { receiveSummaryJson, receiveSummaryText, requestJson, requestText } from "./report.ts";
import { SaveFile, type SaveOptions } from "./save_file.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "./server.ts";
import { type RequestEvent, withoutSecrets } from "./event.ts";
import { RequestTotals } from "./totals.ts";

/** Runs `receive` until it is stopped or has answered `--requests`; resolves to the exit code. */
export async function runReceive(flags: ReceiveFlags, system: System): Promise<number> {
  const annotate = system.env("GITHUB_ACTIONS") === "true";
  return await receive({ ...await readOptions(flags, system), annotate }, system);
}

/** Listens, reports requests, and ends as the gate says; resolves to the exit code. */
export async function receive(options: ReceiveOptions, system: System): Promise<number> {
  const { output, receiver: { requests } } = options;
  const json = output === "json";
  const console = new Console(system, { format: output });
  const { print } = console;
  const gate = new Gate(options.gate);
  const save = await openSave(options.save, console);
  const page = options.ui ? await openPage(options.receiver, system) : undefined;
  const hide = (text: string) => system.secrets.hide(text);
  const totals = json ? undefined : new RequestTotals(hide);
  const annotations = new Annotations();
  // Under --output json standard output holds nothing but objects; GitHub reads both.
  const annotate = (lines: readonly string[]) => {
    if (!options.annotate) return;
    for (const line of lines) system.workflowCommand(json ? "stderr" : "stdout", line);
  };
  const emit = (event: RequestEvent) => {
    gate.add(event);
    save?.(event);
    totals?.add(event);
    const shown = withoutSecrets(event, hide);
    page?.record(shown);
    const text = json ? requestJson(shown, hide) : requestText(shown, canvasOf(system, { hide }));
    print({ out: [text], err: [] });
    annotate(annotations.of(shown.problems));
  };

  const receiver = listen(options.receiver, emit, page, console.warn);
  announce(receiver.url, page, options, console);
  const off = new AbortController();
  onAbort(system.stop, off.signal, () => receiver.stop());
  onAbort(system.kill, off.signal, () => receiver.kill());
  let waited = false;
  if (options.waitMs !== undefined) {
    system.clock.sleep(options.waitMs, off.signal).then(() => {
      if (off.signal.aborted) return;
      waited = true;
      receiver.stop();
    });
  }
  const summary = await receiver.finished;
  off.abort();

  const lacking = waited && requests !== undefined ? Math.max(0, requests - summary.requests) : 0;
  const result = gate.result(lacking);
  annotate(
    result.failures.map((failure) => annotation("error", "otlp-histogram receive", failure)),
  );
  const unsaved = save?.close() ?? 0;
  const exitCode = result.failures.length > 0 || unsaved > 0 ? 1 : 0;
  print({ out: totals?.draw(canvasOf(system)) ?? [], err: [] });
  const last = json
    ? receiveSummaryJson(summary, result, exitCode)
    : receiveSummaryText(summary, result);
  print({ out: [last], err: [] });
  return exitCode;
}

interface Save {
  (event: RequestEvent): void;
  /** Closes the file; returns the number of accepted requests that are not in it. */
  close(): number;
}

async function openSave(
  options: SaveOptions | undefined,
  { warn }: Console,
): Promise<Save | undefined> {
  if (options === undefined) return undefined;
  const { toJsonRequest } = await import("../../otlp/json_request.ts");
  const file = SaveFile.openForAppend(options, warn);
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
export async function openPage(receiver: ReceiverOptions, system: System): Promise<Page> {
  const { createPage } = await import("./page/page.ts");
  return createPage({
    host: receiver.host,
    scheme: receiver.tls === undefined ? "http" : "https",
    token: receiver.token,
    clock: system.clock,
    hide: (text) => system.secrets.hide(text),
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
      ? "who reaches this machine sees what comes in; --token-file demands a token"
      : "who has the token sees what comes in";
    warn(`the page is served on --host "${host}", which is not loopback: ${who}`);
  }
}

function listen(
  options: ReceiverOptions,
  emit: (event: RequestEvent) => void,
  page: Page | undefined,
  warn: (message: string) => void,
): Receiver {
  try {
    return startReceiver(options, emit, page, warn);
  } catch (thrown) {
    const where = `--host "${options.host}" --port "${options.port}"`;
    if (thrown instanceof Deno.errors.AddrInUse) {
      throw new UsageError(
        `Cannot listen on ${where}: the port is in use; expected a free one (0 picks one)`,
      );
    }
    const tls = options.tls === undefined
      ? ""
      : ", or --tls-cert and --tls-key that fit each other";
    throw new UsageError(
      `Cannot listen on ${where}: ${
        messageOf(thrown)
      }; expected an address of this machine and a ` +
        `port that may be opened${tls}`,
    );
  }
}

function onAbort(signal: AbortSignal, off: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true, signal: off });
}
