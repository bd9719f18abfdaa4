import { assertSameFindings } from "../support/json_scanners.ts";

Deno.test("The scanner in WebAssembly finds what the plain one finds, in 200,000 random inputs", async () => {
  await assertSameFindings(200_000);
});
