/// <reference lib="dom" />
import type { HistoryAnswer, Update } from "../protocol.ts";
import { Detail } from "./detail.ts";
import { byId, setTerms, setText } from "./dom.ts";
import { clock, count, duration, rate } from "./format.ts";
import { ProblemList } from "./problem_list.ts";
import { RequestTable } from "./requests.ts";
import { HistoryRows } from "./series_data.ts";
import { SeriesList } from "./series_list.ts";
import { follow } from "./stream.ts";

const NARROW = matchMedia("(max-width: 900px)");
const TOKEN = "otlp-histogram token";

const wantsToken = document.documentElement.hasAttribute("data-token");
const state = byId("state", HTMLElement);
const notice = byId("notice", HTMLElement);
const pause = byId("pause", HTMLButtonElement);
const form = byId("token", HTMLFormElement);
const main = byId("main", HTMLElement);

const detail = new Detail(() => refresh());
const requests = new RequestTable();
const problems = new ProblemList();
const list = new SeriesList((entry, choice) => {
  detail.begin(entry);
  if (entry.query === undefined) detail.reset();
  if (choice !== "default") byId("name", HTMLElement).scrollIntoView({ block: "nearest" });
  // On a narrow screen the detail takes the place of the list, and a step back returns to it.
  if (choice === "open" && NARROW.matches) location.hash = "detail";
  refresh();
});

let startedMs: number | undefined;
let restartedMs: number | undefined;
let last: Update | undefined;
let history = new HistoryRows();
/** State of the chosen series that is shown; rows are fetched again when it differs. */
let shown = "";
let isAsking = false;
let isPaused = false;

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  if (token === null) return {};
  // The receiver compares the token alone.
  return { Authorization: /\s/.test(token) ? token : `Bearer ${token}` };
}

function start(): void {
  form.hidden = true;
  main.hidden = false;
  follow(headers, {
    hello(hello) {
      if (startedMs !== undefined && startedMs !== hello.startedMs) {
        restartedMs = hello.startedMs;
        history = new HistoryRows();
        detail.reset();
      }
      startedMs = hello.startedMs;
      const rules = [hello.rules, ...hello.meaning].join(", ");
      setText(byId("rules", HTMLElement), `Rules in force: ${rules}.`);
      setText(byId("exports", HTMLElement), exportsFor(hello.rules));
      shown = "";
      list.reset();
      requests.reset();
      problems.reset();
    },
    update(update) {
      last = update;
      list.update(update);
      requests.add(update.requests);
      problems.update(update);
      if (!isPaused) draw();
    },
    state(now) {
      state.dataset["state"] = now;
      setText(state, now === "live" ? "live" : "Disconnected, reconnecting…");
    },
    refused: askForToken,
  });
}

function draw(): void {
  if (last === undefined) return;
  byId("welcome", HTMLElement).hidden = !list.isEmpty;
  byId("list", HTMLElement).hidden = list.isEmpty;
  byId("detail", HTMLElement).hidden = list.isEmpty;
  requests.draw();
  problems.draw();
  drawTotals(last);
  const text = noticeOf(last);
  notice.hidden = text === "";
  setText(notice, text);
  refresh();
}

function drawTotals({ totals, requestRate, pointRate }: Update): void {
  const { requests, points, measurements, rejectedPoints, errors, warnings } = totals;
  setTerms(byId("totals", HTMLElement), [
    ["requests", count(requests)],
    ["data points", count(points)],
    ["measurements", count(measurements)],
    ["rejected", count(rejectedPoints), rejectedPoints > 0 ? "bad" : ""],
    ["errors", count(errors), errors > 0 ? "bad" : ""],
    ["warnings", count(warnings), warnings > 0 ? "warned" : ""],
    ["requests/s", rate(requestRate)],
    ["points/s", rate(pointRate)],
  ]);
}

function noticeOf({ leftOut, moreRefused, forgottenBefore, sliceMs }: Update): string {
  const restarted = restartedMs === undefined
    ? []
    : [`The receiver restarted at ${clock(restartedMs)}. Earlier data is gone.`];
  const left = leftOut === 0 ? [] : [
    `${
      count(leftOut)
    } data points of further series are not shown: there are too many series, or their names are too long.`,
  ];
  const refused = moreRefused === 0
    ? []
    : [`${count(moreRefused)} rejected data points of further series are only counted.`];
  const forgotten = forgottenBefore === null
    ? []
    : [`Data before ${clock(forgottenBefore)} was discarded.`];
  const coarse = sliceMs <= 1000
    ? []
    : [`Charts show ${duration(sliceMs).replace(" s", "-second")} steps.`];
  return [...restarted, ...left, ...refused, ...forgotten, ...coarse].join(" ");
}

/** Fetches new rows of the chosen series, one request at a time, and draws them. */
async function refresh(): Promise<void> {
  const entry = list.chosen;
  if (entry === undefined) return;
  detail.describe(entry);
  const { kind, names: { unit } } = entry;
  if (kind === "refused" || isAsking) return;
  const query = detail.query(entry);
  const current = `${query} ${last?.totals.points} ${last?.sliceMs}`;
  if (current !== shown) {
    isAsking = true;
    try {
      const response = await fetch(history.url(query), { headers: headers() });
      if (!response.ok) return;
      const answer: HistoryAnswer = await response.json();
      shown = history.take(query, answer) ? "" : current;
    } catch {
      // The receiver is gone: the stream says so, and asks again when it is back.
      return;
    } finally {
      isAsking = false;
    }
  }
  if (list.chosen !== entry || detail.query(entry) !== query) return refresh();
  const data = history.data(query, { kind, unit });
  if (data !== undefined) detail.draw(data, Math.max(last?.now ?? 0, 0));
}

/** Returns the commands that point an SDK at this receiver. */
function exportsFor(rules: string): string {
  const variables = [
    ["ENDPOINT", location.origin],
    ["PROTOCOL", "http/protobuf"],
    ...rules === "dynatrace" ? [["METRICS_TEMPORALITY_PREFERENCE", "delta"]] : [],
    ...wantsToken ? [["HEADERS", "Authorization=Api-Token%20YOUR_TOKEN"]] : [],
  ];
  return variables.map(([name, value]) => `export OTEL_EXPORTER_OTLP_${name}=${value}`).join("\n");
}

function askForToken(problem = ""): void {
  form.hidden = false;
  main.hidden = true;
  setText(byId("token-problem", HTMLElement), problem);
  setText(state, "waiting for the token");
  byId("token-value", HTMLInputElement).focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("token-value", HTMLInputElement);
  sessionStorage.setItem(TOKEN, field.value.trim());
  field.value = "";
  start();
});

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  setText(pause, isPaused ? "Resume" : "Pause");
  if (!isPaused) draw();
});

byId("copy", HTMLButtonElement).addEventListener("click", async () => {
  const commands = byId("exports", HTMLElement);
  const label = byId("copy", HTMLElement);
  getSelection()?.selectAllChildren(commands);
  try {
    await navigator.clipboard.writeText(commands.innerText);
    setText(label, "Copied");
  } catch {
    // Without a clipboard, as on a page that is not secure, the selection can be copied by hand.
    setText(label, "Selected");
  }
});

new ResizeObserver(() => detail.restyle()).observe(byId("over", HTMLElement));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => detail.restyle());
setText(byId("url", HTMLElement), new URL("/v1/metrics", location.href).href);

if (wantsToken && sessionStorage.getItem(TOKEN) === null) askForToken();
else start();
