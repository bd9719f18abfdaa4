import { chromium } from "playwright-core";
import { chromiumPath } from "../tests/browser/browser.ts";
import {
  openPicture,
  photograph,
  PICTURE_TEXTS,
  pictureFile,
  SCHEMES,
  startIncidentPage,
  textsOf,
} from "../tests/browser/incident_page.ts";

// Makes the pictures of `receive --ui` in docs/images/, and the texts they show, which a test compares with the page.

const executablePath = chromiumPath();
if (executablePath === undefined) throw new Error("No Chromium: set CHROMIUM to its path");
const browser = await chromium.launch({ args: ["--no-sandbox"], executablePath });
try {
  await using receiver = await startIncidentPage();
  for (const scheme of SCHEMES) {
    const page = await openPicture(browser, receiver.url, scheme);
    await Deno.writeFile(pictureFile(scheme), await photograph(page));
    await Deno.writeTextFile(PICTURE_TEXTS, await textsOf(page));
  }
} finally {
  await browser.close();
}
