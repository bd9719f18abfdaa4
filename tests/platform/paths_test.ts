import assert from "node:assert/strict";
import { readFileOf, resolvePath } from "../../src/platform/paths.ts";

Deno.test("resolvePath() leaves an absolute path as it is", () => {
  const cases = { "a/b": "/cwd/a/b", "/a": "/a", "C:\\a": "C:\\a", "../a": "/cwd/../a" };
  for (const [path, whole] of Object.entries(cases)) assert.equal(resolvePath("/cwd", path), whole);
});

const failing = (thrown: unknown) => ({
  cwd: "/cwd",
  readTextFile: () => Promise.reject(thrown),
});

// [what went wrong, what is said of it]
const FAILURES = [
  [new Deno.errors.NotFound("No such file"), "it does not exist"],
  [new Deno.errors.PermissionDenied("no"), "permission denied"],
  [new Error("Is a directory (os error 21)"), "Is a directory (os error 21)"],
] as const;

for (const [thrown, reason] of FAILURES) {
  Deno.test(`readFileOf() names the setting, the file, and why: ${reason}`, async () => {
    await assert.rejects(readFileOf("--ca (command line)", "ca.pem", failing(thrown)), {
      name: "UsageError",
      message: `Cannot read the file of --ca (command line), "ca.pem": ${reason}`,
    });
  });
}

Deno.test("readFileOf() gives up when its signal says so", async () => {
  const time = new AbortController();
  const reading = readFileOf("--ca", "pipe", {
    cwd: "/cwd",
    readTextFile: (_, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  }, time.signal);
  time.abort();
  await assert.rejects(reading, {
    message: 'Cannot read the file of --ca, "pipe": it did not end',
  });
});
