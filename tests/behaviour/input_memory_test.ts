import assert from "node:assert/strict";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

/** So much more a run of ten times the input may take, in MB: what a garbage collector makes of chance. */
const MOST_MORE_MB = 30;
/** Far below what holding the longer input would take. */
const MOST_MB = 150;

const isLinux = Deno.build.os === "linux";

/** The peak resident memory of reading so many lines, in MB. */
async function peakMb(lines: number): Promise<number> {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: ["--endpoint", receiver.url, "--input", "-", "--output", "json"],
    stdin: { open: true },
    timeoutMs: 60_000,
  });
  const perChunk = 2000;
  const routes = ["/", "/cart", "/search", "/checkout"];
  for (let written = 0; written < lines; written += perChunk) {
    const chunk = Array.from({ length: perChunk }, (_, i) => {
      const n = written + i;
      return `{"value":${n % 977}.${n % 10},"attributes":{"route":"${
        routes[n % 4]
      }","status":200},"id":${n}}\n`;
    });
    await program.write(chunk.join(""));
  }
  // Once it is named, everything before it has been read, and the program is still there to be asked.
  await program.write("end\n");
  await program.waitForStderr(`line ${lines + 1} not used`, 30_000);
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  await program.closeStdin();
  const { stdout } = await program.finished;
  assert.match(stdout, new RegExp(`"recorded":${lines},"delivered":${lines},.*"invalid":1`));
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kb) / 1024;
}

Deno.test({
  name: `reading ten times as many lines takes no more memory${
    isLinux ? "" : " (not run: only Linux tells, in /proc)"
  }`,
  ignore: !isLinux,
  async fn() {
    const few = await peakMb(200_000);
    const many = await peakMb(2_000_000);
    const figures = `${few.toFixed(0)} MB for 200,000 lines, ${many.toFixed(0)} MB for 2,000,000`;
    assert.ok(few > 20, figures);
    assert.ok(many - few < MOST_MORE_MB, figures);
    assert.ok(many < MOST_MB, figures);
  },
});
