import assert from "node:assert/strict";
import { TextLineStream } from "../support/text_lines.ts";
import { decode } from "../support/decode.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

/** Programs that serve the histograms of a Prometheus client library, and observe what they are told. */
const TARGETS = [
  ["client_golang", "PROMETHEUS_TARGET", (path: string) => [path]],
  [
    "Python's prometheus_client",
    "PROMETHEUS_PYTHON",
    (path: string) => [path, new URL("prometheus_target/target.py", import.meta.url).pathname],
  ],
] as const;

for (const [library, variable, command] of TARGETS) {
  Deno.test({
    ...namedUnless(missing(variable), `--scrape reads what ${library} serves`),
    async fn() {
      await using target = await startTarget(command(tool(variable)));
      await using receiver = await startReceiver();
      await target.observe("mail 0.05", "mail 0.1");
      await using program = await startProgram({
        args: [
          ...["--endpoint", receiver.url, "--scrape", target.url],
          ...["--loop", "--interval", "0.3", "--service", "shop"],
        ],
      });
      await program.waitForStdout("first scrape: 1 histogram");
      await target.observe("mail 0.1", "mail 0.5", "print 3", "mail 99");
      const count = () =>
        receiver.requests.flatMap(({ content }) => decode(content).metrics)
          .flatMap(({ points }) => points).reduce((sum, point) => sum + point.count, 0);
      for (let requests = 1; count() < 4; requests = receiver.requests.length + 1) {
        await receiver.waitForRequests(requests);
      }
      program.signal("SIGTERM");
      const { status, stderr } = await program.finished;
      assert.deepEqual([status, stderr], [0, ""]);
      const metrics = receiver.requests.flatMap(({ content }) => decode(content).metrics);
      const [metric] = metrics;
      assert.deepEqual(
        [metric?.name, metric?.unit, metric?.description],
        ["job_duration_seconds", "s", 'How long a "job" took.'],
      );
      const counts = new Map<unknown, readonly number[]>();
      let sum = 0;
      for (const point of metrics.flatMap(({ points }) => points)) {
        assert.deepEqual(point.bounds, [0.1, 1, 10]);
        const before = counts.get(point.attributes["queue"]) ?? [0, 0, 0, 0];
        counts.set(point.attributes["queue"], before.map((n, i) => n + (point.counts[i] ?? 0)));
        sum += point.sum ?? NaN;
      }
      assert.deepEqual(Object.fromEntries(counts), { mail: [1, 1, 0, 1], print: [0, 0, 1, 0] });
      assert.equal(sum.toFixed(6), "102.600000");
    },
  });
}

async function startTarget([command = "", ...args]: readonly string[]) {
  const child = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const reader = lines.getReader();
  const { value: url = "" } = await reader.read();
  return {
    url,
    /** `QUEUE VALUE`, each; resolves when they are counted. */
    async observe(...observations: readonly string[]): Promise<void> {
      for (const observation of observations) {
        await writer.write(new TextEncoder().encode(`${observation}\n`));
        await reader.read();
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await writer.close().catch(() => {});
      await child.status;
      await reader.cancel();
    },
  };
}
