import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("deno task sbom lists the packages in the executable, with version, checksum and licence", async () => {
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
  for (const name of ["@bufbuild/protobuf", "uplot", "valibot", "deno"]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ["fast-check", "@opentelemetry/sdk-metrics"]) {
    assert.ok(!names.includes(name), `${name} is in no executable`);
  }
  const licences = await Deno.readTextFile(new URL("../../THIRD-PARTY-LICENSES", import.meta.url));
  for (const { type, hashes, version, purl, "bom-ref": reference } of bom.components) {
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.match(purl, /^pkg:/);
    if (type !== "library") continue;
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
    assert.ok(licences.includes(`\n${reference}\n`), `the licence of ${reference}`);
  }
});
