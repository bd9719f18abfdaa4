import { canvasOf } from "../draw/canvas.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import type { ReceiveFlags } from "../config/settings.ts";
import { readOptions } from "./options.ts";
import { requestJson, requestText, summaryJson, summaryText } from "./report.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "./server.ts";
import type { RequestEvent } from "./event.ts";
import { Totals } from "./totals.ts";

/** Runs `receive` until it is stopped or has answered `--requests`; resolves with its exit status. */
export async function runReceive(flags: ReceiveFlags, system: System): Promise<number> {
  const { output, receiver: options } = await readOptions(flags, system);
  const json = output === "json";
  const totals = json ? undefined : new Totals();
  const emit = (event: RequestEvent) => {
    totals?.add(event);
    system.stdout(`${json ? requestJson(event) : requestText(event, canvasOf(system))}\n`);
  };

  const receiver = listen(options, emit);
  const { url } = receiver;
  if (json) system.stderr(`${JSON.stringify({ type: "listening", url })}\n`);
  else system.stdout(`Listening on ${url}\n`);

  const off = new AbortController();
  whenAborted(system.stop, off.signal, () => receiver.stop(false));
  whenAborted(system.kill, off.signal, () => receiver.stop(true));
  const summary = await receiver.finished;
  off.abort();
  for (const line of totals?.draw(canvasOf(system)) ?? []) system.stdout(`${line}\n`);
  system.stdout(`${json ? summaryJson(summary) : summaryText(summary)}\n`);
  return 0;
}

function listen(options: ReceiverOptions, emit: (event: RequestEvent) => void): Receiver {
  try {
    return startReceiver(options, emit);
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

function whenAborted(signal: AbortSignal, off: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true, signal: off });
}
