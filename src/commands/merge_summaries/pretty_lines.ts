/** Line of a log, or the lines of one object, with the number of the first. */
export interface NumberedText {
  readonly number: number;
  readonly text: string;
}

/** Joins the lines of each pretty-printed object, as `jq .` prints it, into one text; other lines stay as they are. */
export class PrettyLines {
  #open: { readonly number: number; readonly indent: string; readonly lines: string[] } | undefined;

  *push(line: NumberedText): Generator<NumberedText> {
    const { number, text } = line;
    if (this.#open !== undefined) {
      const { indent, lines } = this.#open;
      const rest = text.startsWith(indent) ? text.slice(indent.length) : "";
      if (/^[ \t]/.test(rest)) return void lines.push(text);
      // A comma follows an object in an array.
      const isEnd = /^\},?\s*$/.test(rest);
      if (isEnd) lines.push("}");
      yield* this.end();
      if (isEnd) return;
    }
    const [, indent] = /^([ \t]*)\{\s*$/.exec(text) ?? [];
    if (indent === undefined) yield line;
    else this.#open = { number, indent, lines: [text] };
  }

  /** Gives the lines of an object that does not end. */
  *end(): Generator<NumberedText> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) yield { number: open.number, text: open.lines.join("\n") };
  }
}
