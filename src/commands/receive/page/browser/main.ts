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

const TOKEN = "otlp-histogram token";

const state = byId("state", HTMLElement);
const notice = byId("notice", HTMLElement);
const pause = byId("pause", HTMLButtonElement);
const form = byId("token", HTMLFormElement);
const main = byId("main", HTMLElement);

const detail = new Detail();
const requests = new RequestTable();
const problems = new ProblemList();
const list = new SeriesList((series) => {
  if (series !== undefined) detail.begin(series);
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
  const isWhole = /\s/.test(token);
  const scheme = token.startsWith("dt0s16.") ? "Bearer" : "Api-Token";
  return { Authorization: isWhole ? token : `${scheme} ${token}` };
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
      setText(state, now === "live" ? "live" : "no connection, trying again");
    },
    refused: askForToken,
  });
}

function draw(): void {
  if (last === undefined) return;
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

function noticeOf({ leftOut, forgottenBefore, sliceMs }: Update): string {
  const restarted = restartedMs === undefined
    ? []
    : [`The receiver was restarted at ${clock(restartedMs)}; what came before is gone.`];
  const left = leftOut === 0
    ? []
    : [`${count(leftOut)} data points of further series are not shown: there are too many series.`];
  const forgotten = forgottenBefore === null
    ? []
    : [`What came before ${clock(forgottenBefore)} is forgotten.`];
  const coarse = sliceMs <= 1000 ? [] : [`The pictures are exact to ${duration(sliceMs)}.`];
  return [...restarted, ...left, ...forgotten, ...coarse].join(" ");
}

/** Fetches new rows of the chosen series, one request at a time, and draws them. */
async function refresh(): Promise<void> {
  const series = list.chosen;
  if (series === undefined || isAsking) return;
  const current = `${series.row.id} ${last?.totals.points} ${last?.sliceMs}`;
  if (current !== shown) {
    isAsking = true;
    try {
      const response = await fetch(history.query(series.row.id), { headers: headers() });
      if (!response.ok) return;
      const answer: HistoryAnswer = await response.json();
      history.take(answer);
      shown = current;
    } catch {
      // The receiver is gone: the stream says so, and asks again when it is back.
      return;
    } finally {
      isAsking = false;
    }
  }
  if (list.chosen !== series) return refresh();
  const data = history.data(series.row);
  if (data !== undefined) detail.draw(data, Math.max(last?.now ?? 0, 0));
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
  setText(pause, isPaused ? "Go on" : "Pause");
  if (!isPaused) draw();
});

new ResizeObserver(() => detail.restyle()).observe(byId("over", HTMLElement));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => detail.restyle());
setText(byId("url", HTMLElement), new URL("/v1/metrics", location.href).href);

const wantsToken = document.documentElement.hasAttribute("data-token");
if (wantsToken && sessionStorage.getItem(TOKEN) === null) askForToken();
else start();
