import { canvasOf } from "./draw/canvas.ts";
import type { System } from "./base/system.ts";
import type { DemoFlags, SendFlags } from "./config/settings.ts";
import { openPage } from "./receive/command.ts";
import type { RequestEvent } from "./receive/event.ts";
import { readOptions } from "./receive/options.ts";
import type { Page } from "./receive/page/page.ts";
import { requestText, summaryText } from "./receive/report.ts";
import { startReceiver } from "./receive/server.ts";
import { Totals } from "./receive/totals.ts";
import { runSend } from "./send/command.ts";

/** Three sends of the samples, a second apart. */
const SHORT: SendFlags = { loop: true, interval: "1", iterations: "3" };
/** What makes a picture: four series with enough measurements for their percentiles, until a signal. */
const ENDLESS: SendFlags = { loop: true, interval: "1", series: "4", rate: "200" };

/**
 * Starts a receiver on a free port, sends to it and draws what arrived, with `--ui` on a page; resolves to the exit
 * status of the sends.
 */
export async function runDemo({ ui = false }: DemoFlags, system: System): Promise<number> {
  const { receiver: options } = await readOptions({ port: "0" }, system);
  const page = ui ? await openPage(options, system) : undefined;
  const totals = new Totals();
  const receiver = startReceiver(
    options,
    (event) => {
      totals.add(event);
      show(event, page, system);
    },
    page,
  );
  if (page !== undefined) system.stdout(`Page: ${new URL("/", receiver.url).href}\n`);
  const flags = { endpoint: receiver.url, ...page === undefined ? SHORT : ENDLESS };
  const exitCode = await runSend(flags, unconfigured(system));
  receiver.stop(false);
  const summary = await receiver.finished;
  system.stdout(["", ...totals.draw(canvasOf(system)), summaryText(summary), ""].join("\n"));
  return exitCode;
}

/** On the page, or drawn. */
function show(event: RequestEvent, page: Page | undefined, system: System): void {
  if (page === undefined) system.stdout(`${requestText(event, canvasOf(system))}\n\n`);
  else page.record(event);
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
