/// <reference lib="dom" />
import type { Browser, Page } from "playwright-core";
import { SAMPLE_IDENTITY } from "../../src/aggregate/identity.ts";
import { DeltaRecorder } from "../../src/aggregate/recorder.ts";
import { attributeEncoder, Encoder } from "../../src/otlp/encoder.ts";
import { ONE_REQUEST } from "../../src/otlp/request.ts";
import { seededRandom } from "../../src/source/generate/random.ts";
import { ScenarioTraffic } from "../../src/source/generate/scenario.ts";
import { parseScenario } from "../../src/source/generate/scenario_file.ts";
import { type RunningPage, startPage, visit } from "./receiver_page.ts";

const SCENARIO = new URL("../../examples/latency-incident.json", import.meta.url);
const METRIC = "http.server.request.duration";
const SEND_SECONDS = 5;
const SENDS = 120;
const PER_SEND = 200;

/** Color schemes of the README's pictures. */
export const SCHEMES = ["light", "dark"] as const;

/** Where the picture of a color scheme is, and the texts that all pictures show. */
export const PICTURES = new URL("../../docs/images/", import.meta.url);
export const PICTURE_TEXTS = new URL("receive-page.txt", PICTURES);
export function pictureFile(scheme: typeof SCHEMES[number]): URL {
  return new URL(`receive-page-${scheme}.webp`, PICTURES);
}

/** Starts a receiver with its page, and sends ten minutes of the latency incident to it; the same at every run. */
export async function startIncidentPage(): Promise<RunningPage> {
  const receiver = startPage();
  const parsed = parseScenario(await Deno.readTextFile(SCENARIO));
  if (!("scenario" in parsed)) throw new Error(parsed.problems.join("\n"));
  const { metrics, resource } = parsed.scenario;
  const traffic = new ScenarioTraffic(parsed.scenario, seededRandom("README"));
  const instruments = metrics.map((metric) => ({
    ...metric,
    bounds: metric.bounds ?? "exponential" as const,
    attributes: {},
  }));
  const recorder = new DeltaRecorder(
    { instruments, maxSeries: Infinity, attributeEncoder },
    receiver.clock,
  );
  const encoder = new Encoder({ ...SAMPLE_IDENTITY, resource });
  for (let send = 0; send < SENDS; send++) {
    const started = send * SEND_SECONDS;
    const secondsOf = (place: number) => started + SEND_SECONDS * place / PER_SEND;
    for (const batches of traffic.batches(PER_SEND, secondsOf)) {
      for (const [instrument, batch] of batches.entries()) recorder.add(batch, instrument);
    }
    receiver.clock.now += SEND_SECONDS * 1000;
    const requests = await encoder.encode(recorder.take(), {
      limits: ONE_REQUEST,
      compression: "none",
    });
    for (const { body } of requests) {
      const response = await fetch(new URL("/v1/metrics", receiver.url), {
        method: "POST",
        headers: { "Content-Type": "application/x-protobuf" },
        body,
      });
      await response.body?.cancel();
    }
  }
  return receiver;
}

/** Opens the page with the metric of the incident selected, as the picture shows it. */
export async function openPicture(
  browser: Browser,
  url: string,
  colorScheme: typeof SCHEMES[number],
): Promise<Page> {
  const { page } = await visit(browser, url, {
    colorScheme,
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    timezoneId: "UTC",
  });
  await page.locator(".option", { hasText: METRIC }).first().click();
  await page.locator("#over canvas").waitFor();
  await page.locator("#lines-table tbody tr").first().waitFor();
  return page;
}

/** Texts on the page, line by line, without the address of the receiver. */
export async function textsOf(page: Page): Promise<string> {
  const text = await page.locator("body").innerText();
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return `${lines.join("\n").replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:4318")}\n`;
}

/** Photographs the page as WebP, which is a third of the size of PNG. */
export async function photograph(page: Page): Promise<Uint8Array> {
  const png = (await page.screenshot()).toString("base64");
  const blank = await page.context().newPage();
  const webp = await blank.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d")?.drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.9);
  }, png);
  await blank.close();
  return Uint8Array.fromBase64(webp.slice(webp.indexOf(",") + 1));
}
