import assert from "node:assert/strict";
import { PointWorld, type PointWorldOptions } from "../../../support/point_world.ts";

const seriesOf = ({ receiver }: PointWorld) => {
  const counts = new Map<string, number>();
  for (const { points } of receiver.attempts) {
    for (const { attributes } of points) {
      const name = String(attributes["series"]);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
};

const steadyCases: readonly (PointWorldOptions & { readonly points: number })[] = [
  { points: 300 },
  { rate: { to: 100, pointsPerRequest: 7 }, points: 300 },
  { rate: { to: 1000 }, series: 10, points: 3000 },
  { rate: { to: 250 }, workers: 8, points: 750 },
  { rate: { to: 0.5 }, seconds: 10, points: 5 },
  { rate: { to: 100 }, seconds: Infinity, iterations: 2, points: 200 },
];

for (const { points, ...options } of steadyCases) {
  const { rate, workers = 1, series = 100, seconds = 3 } = options;
  Deno.test(`pointRun() sends ${rate?.to ?? 100} points/s of ${series} series over ${workers} connections for ${seconds} s`, async () => {
    const world = new PointWorld(options);
    const summary = await world.play();
    assert.equal(summary.points, points);
    assert.equal(summary.exitCode, 0);
    assert.equal(summary.capacity, undefined);
    const counts = [...seriesOf(world).values()];
    assert.equal(counts.length, Math.min(series, points));
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, "each series has its turn");
    const sent = world.sends.reduce((sum, send) => sum + send.points, 0);
    assert.equal(sent, points);
    assert.ok(world.sends.length <= (options.iterations ?? seconds), "a line per second");
  });
}

Deno.test("pointRun() sends evenly within each second", async () => {
  const world = new PointWorld({ rate: { to: 100, pointsPerRequest: 10 } });
  await world.play();
  assert.equal(world.attempts.length, 30);
  for (const [i, at] of world.attempts.entries()) {
    assert.ok(Math.abs(at - (i + 1) / 10) < 0.005, `request ${i} at ${at} s`);
  }
  assert.deepEqual(world.sends.map(({ points }) => points), [100, 100, 100]);
});

Deno.test("pointRun() joins the intervals of a series on its connection, one after the other", async () => {
  const world = new PointWorld({ rate: { to: 200 }, series: 16, workers: 4 });
  await world.play();
  const ends = new Map<string, bigint>();
  for (const { points } of world.receiver.attempts) {
    for (const { attributes, start, end } of points) {
      const name = String(attributes["series"]);
      const before = ends.get(name);
      assert.ok(before === undefined || start >= before, `series ${name} overlaps`);
      assert.ok(start <= end);
      ends.set(name, end);
    }
  }
  assert.equal(ends.size, 16);
});

Deno.test("pointRun() divides a rate exactly among processes, with the same values", async () => {
  const values = ({ receiver }: PointWorld) =>
    receiver.attempts.flatMap(({ points }) =>
      points.map(({ attributes, sum }) => `${attributes["series"]} ${sum}`)
    );
  const options = { rate: { to: 77 }, series: 10, seed: "s" };
  const one = new PointWorld(options);
  await one.play();
  const parts: string[] = [];
  for (const index of [0, 1, 2, 3]) {
    const part = new PointWorld({ ...options, workers: 2, share: { index, of: 4 } });
    await part.play();
    parts.push(...values(part));
  }
  assert.deepEqual(parts.sort(), [...values(one)].sort());
});

Deno.test("pointRun() counts latency from when a request was due, not from when it was sent", async () => {
  // The 10th of 30 requests takes 1 s: 10 more are due meanwhile, on the one connection.
  const world = new PointWorld({
    rate: { to: 100, pointsPerRequest: 10 },
    answer: (attempt) => ({ latencyMs: attempt === 9 ? 1000 : 1 }),
  });
  const { latencyMs } = await world.play();
  assert.equal(world.attempts.length, 30);
  assert.ok((latencyMs.p50 ?? 0) < 10);
  assert.ok((latencyMs.p90 ?? 0) > 600, `p90 ${latencyMs.p90}`);
  assert.equal(latencyMs.max, 1000);
});

Deno.test("pointRun() retries at a steady rate, and loses nothing", async () => {
  const world = new PointWorld({
    seconds: 6,
    answer: (_attempt, _points, seconds) => seconds > 1 && seconds < 3 ? { status: 503 } : {},
  });
  const summary = await world.play();
  assert.equal(summary.delivered, 600);
  assert.equal(summary.exitCode, 0);
  assert.ok(world.sends.some(({ outcome }) => outcome === "failed"));
  assert.ok(world.events.some(({ type }) => type === "late"));
});

Deno.test("pointRun() says once that it cannot keep up, and sends what was due all the same", async () => {
  const world = new PointWorld({
    rate: { to: 100, pointsPerRequest: 10 },
    seconds: 5,
    answer: () => ({ latencyMs: 300 }),
  });
  const summary = await world.play();
  assert.equal(summary.points, 500);
  const said = world.events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.equal(said.length, 1);
  assert.match(
    said[0] ?? "",
    /^cannot keep up with --point-rate 100: requests are 3\.\d s late, .*\(--workers\)$/,
  );
});

Deno.test("pointRun() gives up what it could not send --retry-for after its end, and says so", async () => {
  const world = new PointWorld({
    rate: { to: 100, pointsPerRequest: 1 },
    seconds: 5,
    answer: () => ({ latencyMs: 100 }),
  });
  const summary = await world.play();
  assert.ok(summary.elapsedMs >= 35_000 && summary.elapsedMs < 36_000, `${summary.elapsedMs} ms`);
  assert.equal(summary.exitCode, 1);
  const said = world.events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.match(
    said.at(-1) ?? "",
    /^\d+ data points of --point-rate 100 not sent: .* 30 s after its end \(--retry-for\); lower /,
  );
  assert.equal(summary.recorded + parseInt(said.at(-1) ?? ""), 500);
});

Deno.test("pointRun() delivers what is under way when a signal comes, and ends", async () => {
  const world = new PointWorld({ seconds: 60, stopAfterMs: 2500 });
  const summary = await world.play();
  assert.equal(summary.delivered, summary.recorded);
  assert.ok(summary.recorded >= 240 && summary.recorded <= 260, String(summary.recorded));
  assert.equal(summary.exitCode, 0);
});

Deno.test("openPointLoad() says that requests cannot have more points than a connection has series", () => {
  const { warnings } = new PointWorld({
    series: 20,
    workers: 4,
    rate: { pointsPerRequest: 100 },
  });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^--points-per-request 100 .* its requests have 5 data points/);
});
