/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { HistogramSeries } from "../support/otlp_histograms.ts";
import { browserTest } from "./browser.ts";
import { axeViolations, type RunningPage, startPage, textOf, visit } from "./receiver_page.ts";

const MANY = "http.server.request.duration";
const REFUSED = { name: "job.duration", attributes: { job: "a" }, counts: [1, 0, 0, 0], count: 9 };

/** Two hundred series of one metric: ten routes on twenty pods. */
function manySeries(): HistogramSeries[] {
  return Array.from({ length: 200 }, (_, i) => ({
    name: MANY,
    attributes: { pod: `pod-${Math.floor(i / 10)}`, route: `/r${i % 10}` },
    counts: [1, i % 10, 2, 0],
  }));
}

async function sendMany(receiver: RunningPage): Promise<void> {
  for (const _ of [1, 2]) {
    await receiver.send(...manySeries(), REFUSED, { ...REFUSED, attributes: { job: "b" } }, {
      name: "other",
      counts: [1, 0, 0, 0],
    });
    receiver.clock.now += 1000;
  }
}

function option(page: Page, text: string) {
  return page.locator(".option", { hasText: text }).first();
}

/** Whether the whole element is inside of the window. */
async function isInWindow(page: Page, selector: string): Promise<boolean> {
  return await page.locator(selector).evaluate((element) => {
    const { top, bottom, height } = element.getBoundingClientRect();
    return height > 0 && top >= 0 && bottom <= innerHeight;
  });
}

const WIDTHS = [{ width: 360, height: 800 }, { width: 390, height: 844 }, {
  width: 1280,
  height: 800,
}, { width: 1700, height: 1000 }];

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of WIDTHS) {
    const { width } = viewport;
    browserTest(
      `axe finds nothing, and nothing is cut off, in ${colorScheme} at ${width} px`,
      async (browser) => {
        await using receiver = startPage({ rules: "dynatrace" });
        const { page, complaints } = await visit(browser, receiver.url, {
          colorScheme,
          viewport,
          bypassCSP: true,
        });
        const check = async (view: string) => {
          assert.deepEqual([view, await axeViolations(page)], [view, []]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${view}: ${wide} px wide`);
        };
        await page.getByText("export OTEL").waitFor();
        await check("empty");
        await sendMany(receiver);
        await option(page, MANY).waitFor();
        await check("list");
        await option(page, MANY).click();
        await page.locator("#lines-table tbody tr").nth(7).waitFor();
        for (const table of ["#over-table", "#bars-table"]) {
          await page.locator(`${table} summary`).click();
        }
        await check("all series");
        if (width < 900) await page.goBack();
        await option(page, REFUSED.name).click();
        await page.getByText("Refused: 0 of 4 data points accepted.").waitFor();
        await check("refused");
        assert.deepEqual(complaints, []);
      },
    );
  }
}

browserTest("the charts of all series fit into 1280 by 800 pixels", async (browser) => {
  await using receiver = startPage();
  await sendMany(receiver);
  const viewport = { width: 1280, height: 800 };
  const { page } = await visit(browser, receiver.url, { viewport });
  await page.locator("#lines-chart canvas").waitFor();
  for (const chart of ["#over", "#bars", "#lines-chart"]) {
    assert.ok(await isInWindow(page, chart), `${chart} is cut off`);
  }
  const width = await page.locator("#over").evaluate(({ clientWidth }) => clientWidth);
  assert.ok(width > 0.6 * viewport.width, `the chart is ${width} px wide`);
});

browserTest(
  "the view of all series shows their sum, and a line per attribute value",
  async (browser) => {
    await using receiver = startPage();
    await sendMany(receiver);
    const { page, complaints } = await visit(browser, receiver.url);
    await option(page, MANY).waitFor();
    assert.match(await textOf(option(page, MANY)), /all 200 series[^]*3,000/);
    await page.locator("#lines-table tbody tr").nth(7).waitFor();
    assert.equal(await page.locator("#figures dd").first().innerText(), "3,000");
    const lines = async () =>
      await page.locator("#lines-table tbody tr").evaluateAll((rows) =>
        rows.map((row) => [...row.children].slice(0, 3).map(({ textContent }) => textContent))
      );
    const byRoute = await lines();
    assert.deepEqual([byRoute[0], byRoute.at(-1)], [["/r9", "20", "480"], [
      "other values",
      "60",
      "480",
    ]]);
    await page.locator("#by").selectOption("pod");
    await page.locator("#lines-table th", { hasText: "pod-0" }).waitFor();
    assert.deepEqual((await lines())[0], ["pod-0", "10", "150"]);
    await page.locator("#line-of").selectOption("measurements");
    await page.locator(".option.member").first().click();
    await page.waitForFunction(() => document.querySelector("#figures dd")?.textContent === "24");
    assert.equal(await page.locator("#lines").isVisible(), false);
    for (const i of [1, 2]) {
      const member = page.locator(".option.member").nth(i);
      const [words = ""] = (await textOf(member)).split("\n");
      await member.click();
      const chips = await page.locator("#attributes span").allInnerTexts();
      assert.deepEqual(chips, [...words.split(" "), "service.name=shop"]);
    }
    assert.deepEqual(complaints, []);
  },
);

browserTest("the view of all series follows new data", async (browser) => {
  await using receiver = startPage();
  await sendMany(receiver);
  const { page } = await visit(browser, receiver.url);
  await page.locator("#lines-table tbody tr").nth(7).waitFor();
  receiver.clock.now += 5000;
  await receiver.send(...manySeries());
  await page.waitForFunction(() => document.querySelector("#figures dd")?.textContent === "4,500");
});

browserTest(
  "a refused series says why, until one of its data points is accepted",
  async (browser) => {
    await using receiver = startPage();
    await receiver.send(REFUSED);
    const { page, complaints } = await visit(browser, receiver.url);
    assert.match(await textOf(option(page, REFUSED.name)), /job=a[^]*refused[^]*1 point/);
    await page.getByText("Refused: 0 of 1 data point accepted.").waitFor();
    assert.match(await page.locator("#refusal").innerText(), /error bucket-sum .* count is 9/);
    assert.equal(await page.locator("#pictures").isVisible(), false);
    await receiver.send({
      name: REFUSED.name,
      attributes: REFUSED.attributes,
      counts: [3, 0, 0, 0],
    });
    await page.locator("#over canvas").waitFor();
    assert.equal(await page.locator(".option").count(), 1);
    assert.match(await page.locator("#refusal").innerText(), /^1 data point rejected\. The latest/);
    assert.deepEqual(complaints, []);
  },
);

browserTest(
  "a filter without a match says so, and Enter selects the first match",
  async (browser) => {
    await using receiver = startPage();
    await sendMany(receiver);
    const { page } = await visit(browser, receiver.url);
    await option(page, MANY).waitFor();
    await page.locator("#filter").fill("nothing like it");
    await page.getByText("No series matches “nothing like it”.").waitFor();
    assert.equal(await page.locator("#list-count").innerText(), "0 of 203");
    await page.locator("#filter").fill("pod-7 /r3");
    await page.keyboard.press("Enter");
    assert.match(
      await textOf(page.locator('.option[aria-selected="true"]')),
      /pod=pod-7 route=\/r3/,
    );
    await page.locator("#filter").fill("other");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#name").innerText(), "other");
  },
);

browserTest(
  "choosing a series scrolls to its name; on a phone it opens the detail",
  async (browser) => {
    await using receiver = startPage();
    await sendMany(receiver);
    const wide = await visit(browser, receiver.url, { viewport: { width: 1280, height: 500 } });
    await wide.page.locator("#lines-chart canvas").waitFor();
    await wide.page.locator("#detail").evaluate((detail) => detail.scrollTo(0, 9999));
    assert.equal(await isInWindow(wide.page, "#name"), false);
    await option(wide.page, "other").click();
    assert.ok(await isInWindow(wide.page, "#name"));
    const { page } = await visit(browser, receiver.url, { viewport: { width: 390, height: 844 } });
    await option(page, "other").waitFor();
    assert.equal(await page.locator("#detail").isVisible(), false);
    await option(page, "other").click();
    await page.locator("#over canvas").waitFor();
    assert.ok(await isInWindow(page, "#name"));
    assert.equal(await page.locator("#list").isVisible(), false);
    await page.getByText("All series").click();
    assert.ok(await page.locator("#list").isVisible());
  },
);

browserTest(
  "the empty page shows the commands that point an SDK at the receiver",
  async (browser) => {
    for (
      const [rules, more] of [
        ["otlp", []],
        ["dynatrace", ["export OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta"]],
      ] as const
    ) {
      await using receiver = startPage({ rules });
      const { page } = await visit(browser, receiver.url, {
        permissions: ["clipboard-read", "clipboard-write"],
      });
      await page.getByText("export OTEL").waitFor();
      const commands = [
        `export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${receiver.port}`,
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        ...more,
      ].join("\n");
      assert.equal(await page.locator("#exports").innerText(), commands);
      await page.locator("#copy").click();
      await page.getByText("Copied").waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), commands);
      assert.match(await page.locator("#rules").innerText(), new RegExp(`in force: ${rules}`));
    }
  },
);

browserTest("long names wrap at dots", async (browser) => {
  await using receiver = startPage();
  await receiver.send({ name: "first.second", counts: [1, 0, 0, 0] });
  const { page } = await visit(browser, receiver.url);
  await option(page, "first.second").waitFor();
  assert.match(await page.locator("#name").innerHTML(), /^first\.<wbr>second$/);
});
