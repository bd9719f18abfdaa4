import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

const MIB = 2 ** 20;
/** The most that docs/input.md promises, in MiB. */
const MOST_MIB = 1280;

const isLinux = Deno.build.os === "linux";
const TYPE = "# TYPE h histogram\n";

/** Answers of an endpoint in place of an exposition, and the message about each. */
const ANSWERS: readonly (readonly [() => string, RegExp])[] = [
  [() => "!\n".repeat(30 * MIB), /failed: its response is not an exposition: line 1: /],
  [() => `${TYPE}h_sum{a="${'\\"'.repeat(30 * MIB)}"} 1\n`, /not used: line 2: it is longer/],
  [() => `${TYPE}h_sum{a="${"x".repeat(40 * MIB)}"} 1\n`, /not used: line 2: it is longer/],
  [() => `${TYPE}${`h_sum{a="${'\\"'.repeat(MIB / 2 - 8)}\n`.repeat(60)}`, /line 2: its labels/],
  [() => TYPE + 'h_bucket{le="9"} 1\n'.repeat(3 * MIB), /not used: h: it has no bucket/],
  [
    () => TYPE + Array.from({ length: 2.5 * MIB }, (_, i) => `h_sum{a="${i}"} 1\n`).join(""),
    /failed: its response is too large: it has more than 500,000 histograms and labels/,
  ],
  [
    () => {
      const labels = Array.from({ length: 100_000 }, (_, i) => `l${i}=""`).join();
      return TYPE + Array.from({ length: 60 }, (_, i) => `h_sum{i="${i}",${labels}} 1\n`).join("");
    },
    /failed: its response is too large/,
  ],
  [
    () => Array.from({ length: 2 * MIB }, (_, i) => `# TYPE h${i} histogram\n`).join(""),
    /"delivered":3/,
  ],
];

async function packed(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test({
  name: `--scrape needs less than 1.25 GiB for 60 MB of anything, and goes on where it was${
    isLinux ? "" : " (not run: only Linux tells, in /proc)"
  }`,
  ignore: !isLinux,
  async fn() {
    for (const [answer, expected] of ANSWERS) {
      const body = await packed(answer());
      const seen = Promise.withResolvers<void>();
      let scrapes = 0;
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
        scrapes++;
        if (scrapes === 3) seen.resolve();
        if (scrapes === 2) return new Response(body, { headers: { "content-encoding": "gzip" } });
        const count = scrapes === 1 ? 4 : 7;
        return new Response(
          `# TYPE g histogram\ng_bucket{le="1"} ${count}\ng_bucket{le="+Inf"} ${count}\n`,
        );
      });
      await using receiver = await startReceiver();
      await using program = await startProgram({
        args: [
          ...["--endpoint", receiver.url, "--scrape", `http://127.0.0.1:${server.addr.port}/`],
          ...["--loop", "--interval", "5", "--timeout", "60", "--output", "json"],
        ],
        timeoutMs: 180_000,
      });
      await seen.promise;
      await receiver.waitForRequests(1);
      const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
      program.signal("SIGTERM");
      const outcome = await program.finished;
      await server.shutdown();
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(`${outcome.stderr}${outcome.stdout}`, expected);
      const points = receiver.requests.flatMap(({ content }) => decode(content).metrics)
        .flatMap(({ points }) => points);
      assert.deepEqual(points.map(({ counts }) => counts), [[3, 0]]);
      const mib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
      console.log(`${expected.source.slice(0, 50)}: ${mib.toFixed(0)} MiB`);
      assert.ok(mib < MOST_MIB, `${mib} MiB: ${expected}`);
    }
  },
});
