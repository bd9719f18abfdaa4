import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { objects } from "../support/lines.ts";
import { runProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

const SHARDS = 8;

Deno.test("merge-summaries reports of eight shards what the receiver counted", async () => {
  await using receiver = await startReceiver();
  const runs = await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) =>
      runProgram({
        args: [
          ...["--endpoint", receiver.url, "--series", "100", "--count", "4001", "--loop"],
          ...["--interval", "0.3", "--iterations", "4", "--output", "json"],
          ...["--shards", String(SHARDS), "--shard", String(shard)],
        ],
        timeoutMs: 60_000,
      })),
  );
  // All logs as kubectl logs --prefix prints them, one line of each pod after the other.
  const logs = runs.map(({ stdout }, pod) =>
    stdout.trimEnd().split("\n").map((line) => `[pod/load-${pod}-x7/send] ${line}`)
  );
  const longest = Math.max(...logs.map(({ length }) => length));
  const lines = Array.from({ length: longest }, (_, i) => logs.flatMap((log) => log[i] ?? []));
  const merged = await runProgram({
    args: ["merge-summaries", "-", "--output", "json"],
    stdin: `${lines.flat().join("\n")}\n`,
  });
  assert.deepEqual([merged.status, merged.stderr], [0, ""]);
  const [report = {}] = objects(merged.stdout);
  const points = receiver.requests.flatMap(({ content }) =>
    decode(content).metrics.flatMap(({ points }) => points)
  );
  const counted = points.reduce((sum, { count }) => sum + count, 0);
  assert.equal(counted, 4 * 4001);
  const { processes, recorded, delivered, requests, points: reported, latencyHistogram } = report;
  assert.deepEqual({ processes, recorded, delivered, requests, points: reported }, {
    processes: SHARDS,
    recorded: counted,
    delivered: counted,
    requests: receiver.requests.length,
    points: points.length,
  });
  const { counts }: { counts: readonly number[] } = JSON.parse(JSON.stringify(latencyHistogram));
  // A loop counts a send that was left out with the request that took its place, so there may be more.
  assert.ok(counts.reduce((sum, count) => sum + count) >= receiver.requests.length);
});
