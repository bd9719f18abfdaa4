/// <reference lib="dom" />
import type { ProblemRow, RequestRow } from "../protocol.ts";
import { counted } from "../../../../console/plural.ts";
import { byId, element } from "./dom.ts";
import { clock, exactCount, formatBytes } from "./format.ts";

const MOST_ROWS = 200;

/** Table of requests, newest first. */
export class RequestTable {
  readonly #body = byId("request-rows", HTMLElement);
  readonly #only = byId("problems-only", HTMLInputElement);
  #rows: RequestRow[] = [];
  /** Id of the newest row that is in the table already. */
  #drawn = 0;

  constructor() {
    this.#only.addEventListener("change", () => {
      this.#body.replaceChildren();
      this.#drawn = 0;
      this.draw();
    });
  }

  reset(): void {
    this.#rows = [];
    this.#drawn = 0;
    this.#body.replaceChildren();
    this.draw();
  }

  add(rows: readonly RequestRow[]): void {
    this.#rows.push(...rows);
    this.#rows.splice(0, Math.max(0, this.#rows.length - MOST_ROWS));
  }

  /** Brings the table up to date. */
  draw(): void {
    const fresh = this.#rows.filter(({ id, problems }) =>
      id > this.#drawn && (!this.#only.checked || problems.length > 0)
    );
    this.#drawn = this.#rows.at(-1)?.id ?? 0;
    if (fresh.length > 0) this.#body.prepend(...fresh.toReversed().flatMap(rowsOf));
    const oldest = this.#rows[0]?.id ?? 0;
    while (Number(this.#body.lastElementChild?.getAttribute("data-id") ?? Infinity) < oldest) {
      this.#body.lastElementChild?.remove();
    }
    byId("requests-empty", HTMLElement).hidden = this.#body.childElementCount > 0;
  }
}

function rowsOf(row: RequestRow): HTMLElement[] {
  const { id, time, status, outcome, method, path, points, rejectedPoints, measurements } = row;
  const answer = element("span", {
    className: `answer ${outcome}`,
    text: `${status === null ? "" : `${status} `}${outcome}`,
  });
  const number = (text: string) => element("td", { className: "number", text });
  const rejected = rejectedPoints > 0
    ? [element("small", { text: `${exactCount(rejectedPoints)} rejected` })]
    : [];
  const line = element(
    "tr",
    {},
    element("td", { text: clock(time) }),
    element("td", {}, answer),
    number(formatBytes(row.bytes)),
    element("td", { className: "number", text: exactCount(points) }, ...rejected),
    number(exactCount(measurements)),
  );
  line.title = `${method} ${path}`;
  line.dataset["id"] = String(id);
  if (row.problems.length === 0) return [line];
  line.classList.add("has-problems");
  const more = row.moreProblems > 0
    ? [element("div", { className: "quiet", text: `and ${row.moreProblems} more` })]
    : [];
  const details = element(
    "details",
    {},
    element("summary", { text: summaryOf(row.problems) }),
    ...row.problems.map((problem) =>
      element("div", { className: `problem ${problem.level}` }, ...problemElements(problem))
    ),
    ...more,
  );
  const cell = element("td", { className: "problems" }, details);
  cell.setAttribute("colspan", "5");
  const below = element("tr", {}, cell);
  below.dataset["id"] = String(id);
  return [line, below];
}

function summaryOf(problems: readonly ProblemRow[]): string {
  return ["error", "warning"].flatMap((level) => {
    const { length } = problems.filter((problem) => problem.level === level);
    return length === 0 ? [] : [counted(length, level)];
  }).join(", ");
}

/** Formats a problem; messages of Dynatrace's rules end with a remedy. */
export function problemElements({ rule, level, metric, message }: ProblemRow): HTMLElement[] {
  const [, what = message, remedy] = /^(.*?)(?:[.;]? Remedy: (.*))?$/s.exec(message) ?? [];
  const about = metric === "" ? "" : `${metric}: `;
  return [
    element("b", { text: `${level} ${rule} ` }),
    element("span", { text: about + what }),
    ...remedy === undefined
      ? []
      : [element("span", { className: "remedy", text: `Remedy: ${remedy}` })],
  ];
}
