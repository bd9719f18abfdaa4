import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Following } from "../../../support/following.ts";

Deno.test("FollowedFile reads what is there and what is appended, whole lines only in its place", async () => {
  await using log = await Following.begin();
  assert.deepEqual(log.warnings, ['"log" does not exist yet: waiting until it does']);
  await log.append("one\ntwo\nthr");
  await log.step();
  assert.deepEqual(log.lines, ["one", "two"]);
  assert.equal(log.place.files[0]?.offset, 8);
  await log.append("ee\n");
  await log.step();
  assert.deepEqual(log.lines, ["one", "two", "three"]);
  assert.equal(log.place.files[0]?.offset, 14);
});

Deno.test("FollowedFile goes on across rename-and-create, and with late lines of the old file", async () => {
  await using log = await Following.begin();
  await log.append("a\n");
  await log.step();
  await Deno.rename(log.path, `${log.path}.1`);
  await log.append("b\n", `${log.path}.1`);
  await log.append("d\n");
  await log.step();
  await log.append("c\n", `${log.path}.1`);
  await log.step();
  assert.deepEqual(log.lines, ["a", "b", "d", "c"]);
  assert.equal(log.place.files.length, 2);
  await log.append("no end", `${log.path}.1`);
  await log.step();
  await log.step(60_001);
  await log.step(60_001);
  assert.deepEqual(log.lines.at(-1), "no end");
  assert.equal(log.place.files.length, 1);
  assert.deepEqual(log.warnings.length, 1);
});

Deno.test("FollowedFile reads a file that came and went between two looks", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.writeTextFile(`${folder}/log.1`, "old\n");
  await using log = await Following.begin(folder);
  await log.append("a\n");
  await log.step();
  await Deno.rename(`${log.path}.1`, `${log.path}.3`);
  await Deno.rename(log.path, `${log.path}.2`);
  await log.append("b\n", `${log.path}.1`);
  await log.append("c\n");
  await log.step();
  await log.step();
  assert.deepEqual(log.lines, ["a", "b", "c"]);
});

Deno.test("FollowedFile reads what was moved to another directory and compressed between two looks", async () => {
  await using log = await Following.begin();
  await log.append("a\n");
  await log.step();
  await Deno.mkdir(`${log.folder}/old`);
  await Deno.mkdir(`${log.folder}/other`);
  await Deno.writeFile(`${log.folder}/other/log.1.gz`, gzipSync("not ours\n"));
  for (const [number, text] of [["2", "a\n"], ["1", "b\n"]] as const) {
    await Deno.remove(log.path);
    await Deno.writeFile(`${log.folder}/old/log.${number}.gz`, gzipSync(text));
    await log.append("c\n");
  }
  await log.step();
  await log.step();
  assert.deepEqual(log.lines.toSorted(), ["a", "b", "c"]);
});

Deno.test("FollowedFile begins anew after copy-and-truncate, though the file has grown past its place", async () => {
  await using log = await Following.begin();
  await log.append("first 1\n");
  await log.step();
  await log.append("first 2, not read yet\n");
  await Deno.copyFile(log.path, `${log.path}.1`);
  await Deno.truncate(log.path);
  await log.append("second 1\nsecond 2\n");
  await log.step();
  await log.step();
  assert.deepEqual(log.lines, ["first 1", "first 2, not read yet", "second 1", "second 2"]);
});

Deno.test("FollowedFile reads what was copied and truncated twice between two looks", async () => {
  await using log = await Following.begin();
  await log.append("a 1\n");
  await log.step();
  for (const [i, text] of ["b 1\n", "c 1\n"].entries()) {
    await Deno.copyFile(log.path, `${log.path}.${i + 1}`);
    await Deno.truncate(log.path);
    await log.append(text);
  }
  for (let looks = 0; looks < 3; looks++) await log.step();
  assert.deepEqual(log.lines.toSorted(), ["a 1", "b 1", "c 1"]);
});

Deno.test("FollowedFile takes up its place after a rotation while nobody was looking", async () => {
  const first = await Following.begin();
  await first.append("name,value\na,1\n");
  await first.step();
  const place = await first.stop();
  await first.append("b,2\n");
  await Deno.rename(first.path, `${first.path}.2`);
  await Deno.utime(`${first.path}.2`, 1000, 1000);
  await first.append("name,value\nc,3\n", `${first.path}.1`);
  await Deno.utime(`${first.path}.1`, 2000, 2000);
  await first.append("name,value\nd,4\n");
  await using next = await Following.begin(first.folder, place);
  await next.step();
  assert.deepEqual(next.lines, ["b,2", "name,value", "c,3", "name,value", "d,4"]);
  assert.deepEqual(next.heads, ["name,value\n", undefined, undefined]);
  assert.deepEqual(next.warnings, []);
});

Deno.test("FollowedFile finds the copy of a file that was truncated, and says what it cannot find", async () => {
  const first = await Following.begin();
  await first.append("a\nb\n");
  await first.step();
  const place = await first.stop();
  await first.append("c\n");
  await Deno.copyFile(first.path, `${first.path}.1`);
  await Deno.truncate(first.path);
  await first.append("d\n");
  {
    const next = await Following.begin(first.folder, place);
    await next.step();
    assert.deepEqual(next.lines, ["c", "d"]);
    await next.stop();
  }
  await Deno.remove(`${first.path}.1`);
  await using last = await Following.begin(first.folder, place);
  // It looks again for a while: a rotation may be under way.
  for (let looks = 0; looks < 7; looks++) await last.step();
  assert.deepEqual(last.lines, ["d"]);
  assert.match(
    last.warnings[0] ?? "",
    /^the file that was followed as "log" \(inode \d+, read up to byte 4\) is gone/,
  );
});

Deno.test("FollowedFile warns when a file is replaced by one that begins with all that was read", async () => {
  await using log = await Following.begin();
  await log.append("one\ntwo\n");
  await log.step();
  await Deno.writeTextFile(`${log.folder}/.log.new`, "one\ntwo\nthree\n");
  await Deno.rename(`${log.folder}/.log.new`, log.path);
  await log.step();
  await log.step();
  assert.deepEqual(log.lines, ["one", "two", "one", "two", "three"]);
  assert.match(
    log.warnings.at(-1) ?? "",
    /^"log" was replaced by a file that starts with the same 8 bytes: it is read from its start, and lines that both have count twice\./,
  );
  assert.equal(log.warnings.length, 2);
});

Deno.test("FollowedFile does not warn when a file is replaced by one that begins with other bytes", async () => {
  await using log = await Following.begin();
  await log.append("one\n");
  await log.step();
  await Deno.remove(log.path);
  await log.append("two\nthree\n");
  await log.step();
  await log.step();
  assert.deepEqual([log.lines, log.warnings.length], [["one", "two", "three"], 1]);
});
