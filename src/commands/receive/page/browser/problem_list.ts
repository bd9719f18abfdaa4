/// <reference lib="dom" />
import type { ProblemTotal, Update } from "../protocol.ts";
import { plural } from "../../../../console/plural.ts";
import { byId, element, setText } from "./dom.ts";
import { count } from "./format.ts";
import { problemElements } from "./requests.ts";

/** List of problems, each rule per metric once, errors first. */
export class ProblemList {
  readonly #box = byId("problems", HTMLElement);
  readonly #totals = new Map<number, ProblemTotal>();
  readonly #items = new Map<number, HTMLElement>();
  #more = 0;

  reset(): void {
    this.#totals.clear();
    this.#items.clear();
    this.#more = 0;
    this.draw();
  }

  update({ problems, moreProblems }: Update): void {
    for (const total of problems) this.#totals.set(total.id, total);
    this.#more = moreProblems;
  }

  draw(): void {
    this.#box.hidden = this.#totals.size === 0;
    const more = this.#more > 0 ? ` and ${count(this.#more)} more` : "";
    setText(byId("problems-more", HTMLElement), `${count(this.#totals.size)}${more}`);
    const sorted = [...this.#totals.values()].sort((a, b) =>
      a.level === b.level ? a.id - b.id : a.level === "error" ? -1 : 1
    );
    const list = this.#box.querySelector("ul");
    sorted.forEach((total, i) => {
      const item = this.#itemOf(total);
      if (list?.children[i] !== item) list?.insertBefore(item, list.children[i] ?? null);
    });
    while (list?.lastChild && list.children.length > sorted.length) list.lastChild.remove();
  }

  #itemOf(total: ProblemTotal): HTMLElement {
    let item = this.#items.get(total.id);
    if (item === undefined) {
      item = element(
        "li",
        { className: `problem ${total.level}` },
        element("small"),
        element("div"),
      );
      this.#items.set(total.id, item);
    }
    const [times, words] = item.children;
    const text = problemElements(total);
    if (times !== undefined) {
      setText(times, `${count(total.requests)} ${plural(total.requests, "request")}`);
    }
    if (
      words !== undefined && words.textContent !== text.map((node) => node.textContent).join("")
    ) {
      words.replaceChildren(...text);
    }
    return item;
  }
}
