import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import project from "../deno.json" with { type: "json" };
import { bundledPackages } from "./module_graph.ts";

// The bill of materials of the executable, CycloneDX 1.6 in JSON, on standard output: the packages in the bundle, at the versions of deno.lock, and the runtime that they are compiled with.

/** npm part of deno.lock: `NAME@VERSION` -> its checksum. */
const locked: { readonly npm: Readonly<Record<string, { readonly integrity: string }>> } = JSON
  .parse(
    await Deno.readTextFile(new URL("../deno.lock", import.meta.url)),
  );

function component(nameAndVersion: string): Models.Component {
  const [, name = "", version = ""] = /^(.+)@(.+)$/.exec(nameAndVersion) ?? [];
  const integrity = locked.npm[nameAndVersion]?.integrity ?? "";
  if (!integrity.startsWith("sha512-")) {
    throw new Error(`deno.lock has no SHA-512 of ${nameAndVersion}`);
  }
  const made = new Models.Component(Enums.ComponentType.Library, name, {
    version,
    bomRef: nameAndVersion,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  });
  const digest = Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex();
  made.hashes.set(Enums.HashAlgorithm["SHA-512"], digest);
  return made;
}

const bom = new Models.Bom();
const program = new Models.Component(Enums.ComponentType.Application, "otlp-histogram", {
  version: project.version,
  bomRef: "otlp-histogram",
});
bom.metadata.component = program;
const runtime = new Models.Component(Enums.ComponentType.Platform, "deno", {
  version: Deno.version.deno,
  bomRef: "deno",
  purl: `pkg:github/denoland/deno@v${Deno.version.deno}`,
});
for (const one of [...(await bundledPackages()).map(component), runtime]) {
  bom.components.add(one);
  program.dependencies.add(one.bomRef);
}
const serializer = new Serialize.JsonSerializer(
  new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6),
);
console.log(serializer.serialize(bom, { sortLists: true, space: 2 }));
