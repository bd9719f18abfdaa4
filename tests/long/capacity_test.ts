import assert from "node:assert/strict";
import { each } from "../support/cases.ts";
import { figure } from "../support/figure.ts";
import { objects } from "../support/lines.ts";
import { runProgram } from "../support/program.ts";
import { startTokenBucket } from "../support/token_bucket.ts";

/** Capacities in data points per second, and the highest rate that is tried for each. */
const CAPACITIES = [1000, 4000, 10_000];

const cases = CAPACITIES.flatMap((capacity) =>
  [1, 8].flatMap((shards) => [1, 8].map((workers) => ({ capacity, workers, shards })))
);

each(
  cases,
  ({ capacity, workers, shards }) =>
    `--point-rate finds a capacity of ${capacity} points/s with ${workers} workers in ${shards} processes`,
  async ({ capacity, workers, shards }) => {
    await using receiver = startTokenBucket({ capacity, burstSeconds: 0.5 });
    const outcomes = await Promise.all(
      Array.from({ length: shards }, (_, shard) =>
        runProgram({
          args: [
            ...["--endpoint", receiver.url, "--output", "json", "--quiet", "--loop"],
            ...["--series", "2000", "--point-rate", `${capacity / 10}..${capacity * 2}`],
            ...["--duration", "5", "--workers", `${workers}`],
            ...["--shards", `${shards}`, "--shard", `${shard}`],
          ],
          timeoutMs: 120_000,
        })),
    );
    let found = 0;
    let delivered = 0;
    for (const { status, stdout } of outcomes) {
      const [summary, ...others] = objects(stdout);
      assert.ok(summary !== undefined && others.length === 0);
      const { recorded, rejected, dropped, pending } = summary;
      assert.equal(recorded, Number(summary["delivered"]) + Number(dropped));
      assert.deepEqual([status, rejected, pending, summary["exitCode"]], [0, 0, 0, 0]);
      const { capacity } = summary;
      assert.ok(typeof capacity === "object" && capacity !== null);
      assert.ok("pointsPerSecond" in capacity && "limitedBy" in capacity);
      found += Number(capacity.pointsPerSecond);
      delivered += Number(summary["delivered"]);
    }
    await figure(
      `capacity ${capacity} points/s, ${workers} workers, ${shards} processes: found ${
        Math.round(found)
      }`,
    );
    assert.equal(delivered, receiver.measurements, "what was delivered is what was counted");
    assert.ok(receiver.refused > 0);
    const ratio = found / capacity;
    assert.ok(ratio > 0.9 && ratio < 1.1, `found ${found} of ${capacity}`);
  },
);
