import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startReceiver } from "../support/receiver.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("deno task run sends nothing of Deno's own when OTEL_DENO is true", async () => {
  await using receiver = await startReceiver();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "run", "--retry-for", "0"],
    cwd: project,
    env: {
      INIT_CWD: "/",
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      NO_COLOR: "1",
    },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.deepEqual(receiver.requests.map(({ target }) => target), ["/v1/metrics"]);
});
