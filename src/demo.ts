import { canvasOf } from "./draw/canvas.ts";
import type { System } from "./base/system.ts";
import { readOptions } from "./receive/options.ts";
import { requestText, summaryText } from "./receive/report.ts";
import { startReceiver } from "./receive/server.ts";
import { Totals } from "./receive/totals.ts";
import { runSend } from "./send/command.ts";

const SENDS = "3";
const INTERVAL_SECONDS = "1";

/** Starts a receiver on a free port, sends to it and draws what arrived; resolves to the exit status of the sends. */
export async function runDemo(system: System): Promise<number> {
  const { receiver: options } = await readOptions({ port: "0" }, system);
  const totals = new Totals();
  const receiver = startReceiver(options, (event) => {
    totals.add(event);
    system.stdout(`${requestText(event, canvasOf(system))}\n\n`);
  });
  const flags = {
    endpoint: receiver.url,
    loop: true,
    interval: INTERVAL_SECONDS,
    iterations: SENDS,
  };
  const exitCode = await runSend(flags, unconfigured(system));
  receiver.stop(false);
  const summary = await receiver.finished;
  system.stdout(["", ...totals.draw(canvasOf(system)), summaryText(summary), ""].join("\n"));
  return exitCode;
}

/** No variable and no `.env` of whoever tries it leads the demonstration, or a token, elsewhere. */
function unconfigured(system: System): System {
  return {
    ...system,
    env: () => undefined,
    stdinHasData: () => Promise.resolve(false),
    readTextFile: (path) => Promise.reject(new Deno.errors.NotFound(path)),
  };
}
