import { Console } from "../console/console.ts";
import { canvasOf } from "../console/canvas.ts";
import { messageOf, UsageError } from "../platform/errors.ts";
import type { System } from "../platform/system.ts";
import type { DemoFlags, SendFlags } from "../settings/settings.ts";
import { openPage } from "./receive/command.ts";
import { readOptions } from "./receive/options.ts";
import { receiveSummaryText, requestText } from "./receive/report.ts";
import { startReceiver } from "./receive/server.ts";
import { RequestTotals } from "./receive/totals.ts";
import { runSend } from "./send/command.ts";

/** Flags for three sends of the built-in samples, a second apart. */
const SHORT: SendFlags = { loop: true, interval: "1", iterations: "3" };
/** Flags for sends without end that make a good picture: four series with enough measurements for their percentiles. */
const ENDLESS: SendFlags = { loop: true, interval: "1", series: "4", rate: "200" };

/**
 * Starts a receiver on a free port, sends to it and draws what arrives, with `--ui` on a page. Resolves to the exit
 * code of the sends.
 */
export async function runDemo({ ui = false }: DemoFlags, system: System): Promise<number> {
  const { print } = new Console(system, { format: "text" });
  const { receiver: options, rules } = await readOptions({ host: loopback(), port: "0" }, system);
  const page = ui ? await openPage({ receiver: options, rules }, system) : undefined;
  const totals = new RequestTotals();
  const receiver = startReceiver(
    options,
    (event) => {
      totals.add(event);
      if (page === undefined) print({ out: [requestText(event, canvasOf(system)), ""], err: [] });
      else page.record(event);
    },
    page,
  );
  if (page !== undefined) print({ out: [`Page: ${new URL("/", receiver.url).href}`], err: [] });
  const flags = { endpoint: receiver.url, ...page === undefined ? SHORT : ENDLESS };
  const exitCode = await runSend(flags, unconfigured(system));
  receiver.stop();
  const summary = await receiver.finished;
  print({ out: ["", ...totals.draw(canvasOf(system)), receiveSummaryText(summary)], err: [] });
  return exitCode;
}

const LOOPBACKS = ["127.0.0.1", "::1"];

/** Returns the first loopback address of this machine, which may have IPv6 only. */
function loopback(): string {
  let reason = "";
  for (const hostname of LOOPBACKS) {
    try {
      Deno.listen({ hostname, port: 0 }).close();
      return hostname;
    } catch (thrown) {
      reason ||= messageOf(thrown);
    }
  }
  throw new UsageError(
    `Cannot listen on ${LOOPBACKS.join(" or ")}: ${reason}. The demo requires a loopback ` +
      "address: turn the interface on, for example ip link set lo up",
  );
}

/** Returns a system without variables and `.env`, which could send the demonstration, or a token, elsewhere. */
function unconfigured(system: System): System {
  return {
    ...system,
    env: () => undefined,
    stdinHasData: () => Promise.resolve(false),
    readTextFile: (path) => Promise.reject(new Deno.errors.NotFound(path)),
  };
}
