import assert from "node:assert/strict";
import { recorded } from "../../../src/receivers/query/recording.ts";

Deno.test("recorded() shows a URL whose escapes are broken", async () => {
  const lines: string[] = [];
  const failure = {
    kind: "failure",
    cause: "refused",
    message: "refused",
    mayHaveArrived: false,
  } as const;
  const request = recorded(
    () => Promise.resolve(failure),
    (line) => lines.push(line),
    (text) => text.replaceAll("SECRET", "***"),
  );
  const url = new URL("http://h/%zz?a=%53ECRET%2B&b=%ff");
  await request({ method: "GET", url, headers: {} }, new AbortController().signal);
  assert.equal(JSON.parse(lines[0] ?? "").url, "h/%zz?a=***+&b=%ff");
});
