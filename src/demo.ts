import type { Io } from "./io.ts";
import { readOptions } from "./receive/options.ts";
import { requestText, summaryText } from "./receive/report.ts";
import { startReceiver } from "./receive/server.ts";
import { runSend } from "./send.ts";

const SENDS = "3";
const INTERVAL_SECONDS = "1";
const WIDTH = 80;

/** Starts a receiver on a free port, sends to it and draws what arrived; resolves to the exit status of the sends. */
export async function runDemo(io: Io): Promise<number> {
  const { receiver: options } = await readOptions({ port: "0" }, io);
  const receiver = startReceiver(
    options,
    (event) => io.stdout(`${requestText(event, Math.min(io.columns ?? WIDTH, WIDTH))}\n\n`),
  );
  const flags = {
    endpoint: receiver.url,
    loop: true,
    interval: INTERVAL_SECONDS,
    iterations: SENDS,
  };
  const exitCode = await runSend(flags, unconfigured(io));
  receiver.stop(false);
  io.stdout(`${summaryText(await receiver.finished)}\n`);
  return exitCode;
}

/** No variable and no `.env` of whoever tries it leads the demonstration, or a token, elsewhere. */
function unconfigured(io: Io): Io {
  return {
    ...io,
    env: () => undefined,
    stdinHasData: () => Promise.resolve(false),
    readTextFile: (path) => Promise.reject(new Deno.errors.NotFound(path)),
  };
}
