import assert from "node:assert/strict";
import { LiveDrawing } from "../../src/console/live_drawing.ts";

/** As much of a terminal as a drawing in place uses: lines, cursor up, erase below, no wrapping. */
class FakeTerminal {
  readonly rows: number;
  lines: string[] = [""];
  #line = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  readonly stdout = (text: string) => {
    // deno-lint-ignore no-control-regex
    for (const part of text.split(/(\x1b\[\??\d*[A-Za-z]|\r|\n)/)) {
      // deno-lint-ignore no-control-regex
      const up = /^\x1b\[(\d+)A$/.exec(part);
      if (up !== null) {
        // A terminal does not move above its first line.
        const top = Math.max(0, this.lines.length - this.rows);
        this.#line = Math.max(top, this.#line - Number(up[1]));
      } else if (part === "\x1b[J") this.lines = [...this.lines.slice(0, this.#line), ""];
      else if (part === "\n") {
        this.#line++;
        if (this.#line === this.lines.length) this.lines.push("");
      } else if (part !== "\r" && !part.startsWith("\x1b")) this.lines[this.#line] += part;
    }
  };
}

Deno.test("LiveDrawing draws over what it drew before, more or fewer lines", () => {
  const terminal = new FakeTerminal(10);
  terminal.stdout("before\n");
  const live = new LiveDrawing(terminal);
  live.draw(["a", "b"]);
  assert.deepEqual(terminal.lines, ["before", "a", "b", ""]);
  live.draw(["c", "d", "e"]);
  assert.deepEqual(terminal.lines, ["before", "c", "d", "e", ""]);
  live.draw(["f"]);
  assert.deepEqual(terminal.lines, ["before", "f", ""]);
  live.clear();
  assert.deepEqual(terminal.lines, ["before", ""]);
  live.clear();
  assert.deepEqual(terminal.lines, ["before", ""]);
});

Deno.test("LiveDrawing draws no more than the terminal shows, so that nothing is left above", () => {
  const terminal = new FakeTerminal(5);
  const live = new LiveDrawing(terminal);
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
  for (let i = 0; i < 3; i++) live.draw(lines);
  assert.deepEqual(terminal.lines, [
    "line 0",
    "line 1",
    "line 2",
    "… 27 more lines: Ctrl+C ends and shows all",
    "",
  ]);
});
