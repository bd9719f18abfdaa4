import assert from "node:assert/strict";
import { keptPlace } from "../../../../src/source/input/follow/kept_place.ts";
import { Following } from "../../../support/following.ts";

/** Position that a spool keeps after a file was followed to its end. */
async function followed(
  folder: string,
  name: string,
  before?: Awaited<ReturnType<typeof keptPlace>>,
) {
  const log = await Following.begin(folder, before?.place, { name });
  const place = await log.stop();
  const path = before?.path ?? `${folder}/${name}`;
  return {
    lines: log.lines,
    kept: {
      id: path,
      sequence: 1,
      file: "spool/checkpoint",
      value: { version: 3, ...place, others: before?.others ?? [] },
    },
  } as const;
}

Deno.test("keptPlace finds a file that is spelled in another way", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" }));
  await Deno.mkdir(`${folder}/logs`);
  await Deno.writeTextFile(`${folder}/logs/app.log`, "a\nb\n");
  await Deno.symlink("logs", `${folder}/linked`);
  await Deno.symlink("logs/app.log", `${folder}/current`);
  const { kept } = await followed(folder, "logs/app.log");
  for (const path of ["logs/app.log", "./logs/app.log", "logs/../logs/app.log", "linked/app.log"]) {
    const found = await keptPlace(`${folder}/${path}`, kept);
    assert.equal(found.path, `${folder}/logs/app.log`);
    assert.deepEqual(found.place?.files, kept.value.files);
  }
  const linked = await keptPlace(`${folder}/current`, kept);
  assert.deepEqual(linked.place?.files, kept.value.files);
  assert.deepEqual(linked.others, [], "it has a new name");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("keptPlace keeps the positions of files that use one spool in turn", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" }));
  await Deno.writeTextFile(`${folder}/a.log`, "a1\n");
  await Deno.writeTextFile(`${folder}/b.log`, "b1\n");
  let { kept } = await followed(folder, "a.log");
  for (const [name, expected] of [["b.log", ["b1"]], ["a.log", ["2"]], ["b.log", ["2"]]] as const) {
    const found = await keptPlace(`${folder}/${name}`, kept);
    const next = await followed(folder, name, found);
    assert.deepEqual(next.lines, expected);
    kept = next.kept;
    const other = name === "a.log" ? "b.log" : "a.log";
    assert.deepEqual(kept.value.others.map(({ path }) => path), [`${folder}/${other}`]);
    await Deno.writeTextFile(`${folder}/${other}`, "2\n", { append: true });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("keptPlace has no position of a file that was never followed", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" }));
  await Deno.writeTextFile(`${folder}/a.log`, "same\n");
  await Deno.writeTextFile(`${folder}/b.log`, "same\n");
  const { kept } = await followed(folder, "a.log");
  const found = await keptPlace(`${folder}/b.log`, kept);
  assert.equal(found.place, undefined);
  assert.equal((await keptPlace(`${folder}/missing/c.log`, kept)).path, `${folder}/missing/c.log`);
  await Deno.remove(folder, { recursive: true });
});
