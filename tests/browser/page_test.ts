/// <reference lib="dom" />
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { rowsOf, startPage, textOf, visit, waitForTotal } from "./receiver_page.ts";

const CART = { name: "http.server.duration", attributes: { route: "/cart" } };

browserTest(
  "the page shows the counts that were sent, at once and after a reload",
  async (browser) => {
    await using receiver = startPage();
    const { page, complaints } = await visit(browser, receiver.url);
    await page.getByText("Waiting for data").waitFor();
    await receiver.send({ ...CART, counts: [1, 20, 3, 0] });
    await receiver.send({ ...CART, counts: [1, 2, 3, 4] }, { name: "other", counts: [1, 0, 0, 0] });
    for (const _ of [1, 2]) {
      await waitForTotal(page, "measurements", "35");
      await waitForTotal(page, "requests", "2");
      const options = page.locator(".option");
      assert.equal(await options.count(), 2);
      assert.match(
        await textOf(options.first()),
        /http\.server\.duration[^]*route=\/cart[^]*34/,
      );
      assert.deepEqual(
        (await rowsOf(page, "#bars-table")).map(([bucket, count]) => [bucket, count]),
        [
          ["≤ 10 ms", "2"],
          ["10 to 50 ms", "22"],
          ["50 to 100 ms", "6"],
          ["> 100 ms", "4"],
        ],
      );
      await page.reload();
    }
    assert.deepEqual(complaints, []);
  },
);

browserTest("the page goes on after a restart of the receiver", async (browser) => {
  const first = startPage();
  const { page } = await visit(browser, first.url);
  await first.send({ ...CART, counts: [1, 0, 0, 0] }, { name: "chosen", counts: [0, 1, 0, 0] });
  await page.locator(".option", { hasText: "chosen" }).click();
  await first.stop();
  await page.locator('#state[data-state="lost"]').waitFor();
  await using second = startPage({ port: first.port, now: first.clock.now + 60_000 });
  await second.send({ ...CART, counts: [5, 0, 0, 0] }, { name: "chosen", counts: [0, 0, 3, 0] });
  await page.getByText("The receiver restarted at").waitFor();
  await waitForTotal(page, "measurements", "8");
  await page.locator('.option[aria-selected="true"]', { hasText: "chosen" }).waitFor();
  await page.waitForFunction(() => document.querySelector("#figures dd")?.textContent === "3");
});

browserTest("the drag selects a time, and so does the keyboard", async (browser) => {
  await using receiver = startPage();
  for (const count of [1, 10, 100, 1000]) {
    await receiver.send({ ...CART, counts: [count, 0, 0, 0] });
    receiver.clock.now += 15_000;
  }
  const { page, complaints } = await visit(browser, receiver.url);
  const chosen = page.locator("#figures dd").first();
  await page.locator("#over canvas").waitFor();
  assert.equal(await chosen.innerText(), "1,111");
  const box = await page.locator("#over .u-over").boundingBox();
  assert.ok(box !== null);
  const drag = async (from: number, to: number) => {
    await page.mouse.move(box.x + from * box.width, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + to * box.width, box.y + box.height / 3, { steps: 5 });
    await page.mouse.up();
  };
  // Selects the last quarter of the minute.
  await drag(0.8, 0.99);
  await page.waitForFunction(() => document.querySelector("#figures dd")?.textContent !== "1,111");
  assert.match(await page.locator("#range").innerText(), /^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d$/);
  await page.locator("#clear").click();
  assert.match(await page.locator("#range").innerText(), /^whole time/);
  assert.equal(await chosen.innerText(), "1,111");
  await page.locator("#over").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+ArrowRight");
  assert.equal(await chosen.innerText(), "1");
  await page.keyboard.press("Escape");
  assert.equal(await chosen.innerText(), "1,111");
  assert.deepEqual(complaints, []);
});

browserTest("the keyboard reaches everything, and chooses a series", async (browser) => {
  await using receiver = startPage();
  await receiver.send({ ...CART, counts: [9, 0, 0, 0] }, {
    name: "BAD NAME",
    counts: [1, 0, 0, 0],
  });
  await receiver.send(
    { name: "x", counts: [1, 0, 0, 0] },
    { name: "x", counts: [1, 0, 0, 0], count: 9 },
  );
  const { page, complaints } = await visit(browser, receiver.url);
  await page.locator("#over canvas").waitFor();
  const reached: string[] = [];
  for (let i = 0; i < 40 && reached.at(-1) !== "problems-only"; i++) {
    await page.keyboard.press("Tab");
    reached.push(
      await page.evaluate(() => {
        const focused = document.activeElement;
        return focused?.id || focused?.closest("[id]")?.id || "";
      }),
    );
    if (reached.at(-1) !== "series") continue;
    await page.keyboard.press("ArrowDown");
    assert.match(await textOf(page.locator('.option[aria-selected="true"]')), /BAD NAME/);
  }
  for (
    const id of [
      "pause",
      "filter",
      "sort",
      "series",
      "over",
      "over-table",
      "bars-table",
      "problems",
    ]
  ) {
    assert.ok(reached.includes(id), `${id} was not reached: ${reached}`);
  }
  assert.equal(await page.locator("#name").innerText(), "BAD NAME");
  assert.deepEqual(complaints, []);
});

browserTest(
  "names and values stay text, and no request leaves the page's origin",
  async (browser) => {
    await using receiver = startPage();
    const evil = "<img src=x onerror=alert(1)>";
    await receiver.send({
      name: evil,
      attributes: { [evil]: `"><script>alert(2)</script>` },
      counts: [1, 0, 0, 0],
    });
    await receiver.send(
      { name: "x", counts: [1, 0, 0, 0] },
      { name: evil, counts: [1, 0, 0, 0], count: 9 },
    );
    const { page, complaints } = await visit(browser, receiver.url);
    await page.locator(".option", { hasText: evil }).first().waitFor();
    assert.equal(await page.locator("#name").innerText(), evil);
    assert.match(await page.locator("#problems").innerText(), /<img src=x/);
    await rowsOf(page, "#bars-table");
    await rowsOf(page, "#over-table");
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.locator("script").count(), 1);
    assert.deepEqual(complaints, []);
  },
);

browserTest("the page wants the token once, and keeps it for a reload", async (browser) => {
  await using receiver = startPage({ token: "Api-Token dt0c01.PUBLIC.SECRET" });
  await receiver.send({ ...CART, counts: [7, 0, 0, 0] });
  const { page, complaints } = await visit(browser, receiver.url);
  await page.locator("#token-value").waitFor();
  assert.equal(await page.locator("main").isVisible(), false);
  assert.deepEqual(complaints, []);
  await page.locator("#token-value").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("this is not the token").waitFor();
  await page.locator("#token-value").fill("dt0c01.PUBLIC.SECRET");
  await page.keyboard.press("Enter");
  await waitForTotal(page, "measurements", "7");
  await page.reload();
  await waitForTotal(page, "measurements", "7");
  assert.doesNotMatch(await page.content(), /SECRET/);
});

browserTest("the page lists a thousand series, filters and sorts them", async (browser) => {
  await using receiver = startPage();
  const all = Array.from({ length: 1000 }, (_, i) => ({
    name: "m",
    attributes: { series: `number-${i}` },
    counts: [i, 0, 0, i === 5 ? 1 : 0],
  }));
  await receiver.send(...all);
  const { page, complaints } = await visit(browser, receiver.url);
  const series = page.locator(".option.member");
  await page.waitForFunction(() => document.querySelectorAll(".option").length === 1001);
  assert.match(await textOf(page.locator(".option").first()), /^m\nall 1000 series/);
  assert.match(await textOf(series.first()), /number-999/);
  await page.locator("#sort").selectOption("p99");
  assert.match(await textOf(series.first()), /number-5\b/);
  await page.locator("#filter").fill("number-77 m");
  assert.equal(await series.count(), 11);
  assert.equal(await page.locator("#list-count").innerText(), "11 of 1,000");
  assert.deepEqual(complaints, []);
});
