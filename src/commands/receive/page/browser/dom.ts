/// <reference lib="dom" />

/** Returns the element of the page with that id and type; the page is ours, so it exists. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} "${id}"`);
}

/** Creates an element. Its content is only ever text. */
export function element(
  tag: string,
  { className = "", text = "" }: { readonly className?: string; readonly text?: string } = {},
  ...children: readonly Node[]
): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  if (text !== "") made.textContent = text;
  made.append(...children);
  return made;
}

/** Sets a text if it differs, so that the rest of the page stays as it is. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets a name, which may be wrapped after its dots. */
export function setWrapped(node: Element, text: string): void {
  if (node.textContent === text) return;
  const parts = text.split(/(?<=\.)/);
  node.replaceChildren(...parts.flatMap((part, i) => i === 0 ? [part] : [element("wbr"), part]));
}

/** Sets terms and their values as the children of a `dl`. */
export function setTerms(
  list: HTMLElement,
  terms: readonly (readonly [term: string, value: string, className?: string])[],
): void {
  terms.forEach(([term, value, className = ""], i) => {
    let entry = list.children[i];
    if (entry === undefined) {
      entry = element("div", {}, element("dt"), element("dd"));
      list.append(entry);
    }
    entry.className = className;
    const [dt, dd] = entry.children;
    if (dt !== undefined) setText(dt, term);
    if (dd !== undefined) setText(dd, value);
  });
  while (list.children.length > terms.length) list.lastChild?.remove();
}

/** Creates a table for an element that scrolls; the first cell of each row is its header. */
export function tableElement(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  caption: string,
): HTMLElement {
  const cell = (tag: "th" | "td", text: string, column: number) => {
    const isFirst = column === 0;
    const made = element(tag, { text, className: isFirst ? "" : "number" });
    if (tag === "th") made.setAttribute("scope", isFirst ? "row" : "col");
    return made;
  };
  const head = element("tr", {}, ...heads.map((text, i) => cell("th", text, i)));
  head.firstElementChild?.setAttribute("scope", "col");
  const body = rows.map((row) =>
    element("tr", {}, ...row.map((text, i) => cell(i === 0 ? "th" : "td", text, i)))
  );
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  table.setAttribute("aria-label", caption);
  return table;
}

/** Returns a colour of the style sheet as it is now, light or dark. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
