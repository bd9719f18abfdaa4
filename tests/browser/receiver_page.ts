/// <reference lib="dom" />
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { judgeOtlp } from "../../src/receivers/otlp/rules.ts";
import { PROFILES } from "../../src/receivers/profiles.ts";
import { limitsFor } from "../../src/commands/receive/body.ts";
import { createPage } from "../../src/commands/receive/page/page.ts";
import { startReceiver } from "../../src/commands/receive/server.ts";
import { histogramBody, type HistogramSeries } from "../support/otlp_histograms.ts";
import { StillClock } from "../support/still_clock.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** A receiver with its page, and a clock that stands still. */
export interface RunningPage extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly clock: StillClock;
  send(...series: readonly HistogramSeries[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a receiver with its page. */
export function startPage(
  { port = 0, token, now, rules = "otlp" }: {
    readonly port?: number;
    readonly token?: string;
    readonly now?: number;
    readonly rules?: string;
  } = {},
): RunningPage {
  const clock = new StillClock(now);
  const common = {
    host: "127.0.0.1",
    clock,
    hide: (text: string) => text,
    token: token === undefined ? undefined : () => Promise.resolve(token),
  };
  const page = createPage({ ...common, scheme: "http", rules });
  const receiver = startReceiver(
    {
      ...common,
      port,
      tls: undefined,
      respond: [],
      requests: undefined,
      judge: judgeOtlp,
      limits: limitsFor(PROFILES.otlp.body),
    },
    (event) => page.record(event),
    page,
  );
  const stop = async () => {
    receiver.stop();
    await receiver.finished;
  };
  return {
    url: new URL("/", receiver.url).href,
    port: Number(new URL(receiver.url).port),
    clock,
    async send(...series) {
      const headers = {
        "Content-Type": "application/x-protobuf",
        Authorization: token ?? "",
      };
      const response = await fetch(receiver.url, {
        method: "POST",
        body: histogramBody(series),
        headers,
      });
      await response.body?.cancel();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A page, and what of it nobody wants to see. */
export interface Visit {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens the page in a new context of the browser. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(url).origin && !request.url().startsWith("data:")) {
      complaints.push(`request to ${request.url()}`);
    }
  });
  await page.goto(url);
  return { page, complaints };
}

/** Returns the text of an entry of the list, which has none until the browser has drawn it. */
export async function textOf(entry: Locator): Promise<string> {
  for (let frame = 0; frame < 1000; frame++) {
    const text = await entry.innerText();
    if (text !== "") return text;
    await entry.page().evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  return "";
}

/** Waits until a total at the top of the page has a value. */
export async function waitForTotal(page: Page, term: string, value: string): Promise<void> {
  await page.waitForFunction(
    ([term, value]) =>
      [...document.querySelectorAll("#totals div")].some((it) =>
        it.querySelector("dt")?.textContent === term &&
        it.querySelector("dd")?.textContent === value
      ),
    [term, value],
  );
}

/** Returns the cells of a table, which is opened. */
export async function rowsOf(page: Page, table: string): Promise<string[][]> {
  const details = page.locator(table);
  if (!await details.evaluate((it) => it.hasAttribute("open"))) {
    await details.locator("summary").click();
  }
  await details.locator("tbody tr").first().waitFor();
  return await details.locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent ?? ""))
  );
}

/** Returns what axe complains about; the page has to be visited with `bypassCSP`, because its policy forbids axe. */
export async function axeViolations(page: Page): Promise<unknown> {
  await page.addScriptTag({ path: AXE });
  return await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) =>
      [id, impact, nodes.map(({ html }) => html).slice(0, 3)]))`,
  );
}
