import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("deno task sbom lists the packages in the executable, with version and checksum", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--frozen",
      "--quiet",
      "--allow-run",
      "--allow-read",
      "--allow-env",
      "scripts/sbom.ts",
    ],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
  }).output();
  assert.equal(code, 0);
  const bom = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(bom.bomFormat, "CycloneDX");
  const names: string[] = bom.components.map(({ name }: { name: string }) => name);
  for (const name of ["@bufbuild/protobuf", "valibot", "deno"]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ["fast-check", "@opentelemetry/sdk-metrics"]) {
    assert.ok(!names.includes(name), `${name} is in no executable`);
  }
  for (const { type, hashes, version, purl } of bom.components) {
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.match(purl, /^pkg:/);
    if (type === "library") assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
  }
});
