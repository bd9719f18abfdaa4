import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startReceiver } from "../support/receiver.ts";

const MAIN = fileURLToPath(new URL("../support/collecting_main.ts", import.meta.url));

Deno.test("a body that never ends does not outlast --timeout when the response is collected", async () => {
  await using receiver = await startReceiver({
    answers: [{ headers: { "content-length": "9" }, body: "half", stuck: true }],
  });
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--frozen", "--quiet", "--no-prompt", "--allow-all", "--v8-flags=--expose-gc"],
      ...[MAIN, "--endpoint", receiver.url, "--timeout", "1", "--value", "3"],
    ],
    signal: AbortSignal.timeout(60_000),
  }).output();
  const printed = new TextDecoder().decode(stdout);
  assert.match(printed, /✓ Metrics exported successfully! Sent 1 measurement\./);
  assert.equal(code, 0);
});
