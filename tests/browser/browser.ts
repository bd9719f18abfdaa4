import { type Browser, chromium } from "playwright-core";
import { namedUnless, reasonUnless } from "../support/tools.ts";

/** Where Debian's Chromium is, or the one that CHROMIUM names; undefined when there is none. */
export function chromiumPath(): string | undefined {
  const path = Deno.env.get("CHROMIUM") || "/usr/bin/chromium";
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Registers a test that runs in a browser; without one it is skipped, and its name says why. */
export function browserTest(name: string, run: (browser: Browser) => Promise<void>): void {
  const executablePath = chromiumPath();
  Deno.test({
    ...namedUnless(
      reasonUnless(executablePath !== undefined, "no Chromium; CHROMIUM names one"),
      name,
    ),
    // Playwright keeps timers and pipes beyond the browser that it closed.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const launch = { args: ["--no-sandbox"] };
      const browser = await chromium.launch(
        executablePath === undefined ? launch : { ...launch, executablePath },
      );
      try {
        await run(browser);
      } finally {
        await browser.close();
      }
    },
  });
}
