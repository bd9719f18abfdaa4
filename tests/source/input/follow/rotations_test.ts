import assert from "node:assert/strict";
import { readPlace } from "../../../../src/source/input/place.ts";
import { Following, gzipInPlace } from "../../../support/following.ts";

const line = (text: string) => `${text} ${"x".repeat(60)}\n`;
const ids = (lines: readonly string[]) => lines.map((text) => text.split(" ")[0]);

Deno.test("FollowedFile goes on in the file behind a symbolic link, start after start", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.mkdir(`${folder}/pods`);
  await Deno.symlink("pods/0.log", `${folder}/x.log`);
  await Deno.writeTextFile(`${folder}/pods/0.log`, "a\nb\n");
  const first = await Following.begin(folder, undefined, { name: "x.log" });
  let place = await first.stop();
  assert.deepEqual(first.lines, ["a", "b"]);
  const second = await Following.begin(folder, place, { name: "x.log" });
  place = await second.stop();
  assert.deepEqual([second.lines, second.warnings, second.notes], [[], [], []]);
  await second.append("c\n");
  await Deno.rename(`${folder}/pods/0.log`, `${folder}/pods/0.log.20261130-101112`);
  await gzipInPlace(`${folder}/pods/0.log.20261130-101112`);
  await Deno.writeTextFile(`${folder}/pods/0.log`, "d\n");
  await using third = await Following.begin(folder, place, { name: "x.log" });
  assert.deepEqual(third.lines, ["c", "d"]);
  assert.deepEqual(third.warnings, []);
  assert.deepEqual(third.notes, [
    'Also reading "0.log.20261130-101112.gz" from byte 4 on: it is "log" from before its rotation',
  ]);
});

Deno.test("FollowedFile sees a rotation under a symbolic link", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.mkdir(`${folder}/pods`);
  await Deno.symlink("pods/0.log", `${folder}/x.log`);
  await Deno.writeTextFile(`${folder}/pods/0.log`, "a\n");
  await using log = await Following.begin(folder, undefined, { name: "x.log" });
  await log.append("b\n");
  await Deno.rename(`${folder}/pods/0.log`, `${folder}/pods/0.log.20261130-101112`);
  await log.step();
  await log.append("c\n", `${folder}/pods/0.log.20261130-101112`);
  await log.append("d\n");
  await log.step();
  assert.deepEqual(log.lines, ["a", "b", "c", "d"]);
});

Deno.test("FollowedFile reads every file that a symbolic link has led to while nobody was looking", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  const lead = async (name: string) => {
    await Deno.remove(`${folder}/x.log`).catch(() => {}); // the first time there is none
    await Deno.symlink(name, `${folder}/x.log`);
  };
  await Deno.writeTextFile(`${folder}/x-20261129.log`, "before\n");
  await Deno.writeTextFile(`${folder}/x-8080.log`, "of another program\n");
  await Deno.writeTextFile(`${folder}/x-20261130.log`, "a\n");
  await lead("x-20261130.log");
  const first = await Following.begin(folder, undefined, { name: "x.log" });
  const place = await first.stop();
  await Deno.writeTextFile(`${folder}/x-20261130.log`, "b\n", { append: true });
  await Deno.writeTextFile(`${folder}/x-20261201.log`, "c\n");
  await Deno.writeTextFile(`${folder}/x-20261202.log`, "d\n");
  await lead("x-20261202.log");
  await using second = await Following.begin(folder, place, { name: "x.log" });
  assert.deepEqual([first.lines, second.lines.toSorted()], [["a"], ["b", "c", "d"]]);
  assert.deepEqual(second.warnings, []);
  await Deno.writeTextFile(`${folder}/x-20261203.log`, "e\n");
  await Deno.writeTextFile(`${folder}/x-20261204.log`, "f\n");
  await lead("x-20261204.log");
  await second.step();
  await second.step();
  assert.deepEqual(second.lines.toSorted(), ["b", "c", "d", "e", "f"]);
});

Deno.test("FollowedFile reads the rest of a copy that was compressed at once", async () => {
  await using log = await Following.begin();
  await log.append(line("a"));
  await log.step();
  await log.append(line("b") + line("c"));
  await Deno.copyFile(log.path, `${log.path}.1`);
  await gzipInPlace(`${log.path}.1`);
  await Deno.truncate(log.path);
  await log.append(line("d"));
  await log.step();
  await log.step();
  assert.deepEqual(ids(log.lines).toSorted(), ["a", "b", "c", "d"]);
  assert.match(log.notes.at(-1) ?? "", /^Also reading "log\.1\.gz" from byte 63 on: /);
});

Deno.test("FollowedFile says how many bytes a truncation without a copy has lost", async () => {
  await using log = await Following.begin();
  await log.append("a\n");
  await log.step();
  await Deno.truncate(log.path);
  await log.append("b\n");
  await log.step();
  assert.deepEqual(log.lines, ["a", "b"]);
  log.hold();
  await log.append("c\n");
  await log.step();
  await log.append("12345678\n");
  await log.step();
  await Deno.truncate(log.path);
  await log.step();
  await log.append("d\n");
  await log.release();
  await log.step();
  assert.deepEqual(log.lines, ["a", "b", "c", "d"]);
  assert.deepEqual(log.warnings.slice(1), [
    '"log" was truncated, and its copy was not found: any bytes written right before are lost',
    '"log" was truncated, and its copy was not found: 9 bytes are lost, and any bytes written right before',
  ]);
});

Deno.test("FollowedFile leaves the files of other programs alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await using log = await Following.begin(folder, undefined, { name: "app.log" });
  await log.append("a\n");
  await log.append("other\n", `${folder}/app-8080.log`);
  await log.step();
  await log.append("other\n", `${folder}/app-8081.log`);
  await Deno.rename(log.path, `${folder}/app-20261130.log`);
  await log.append("other\n", `${folder}/app-8082.log`);
  await log.append("b\n");
  await log.step();
  await log.step();
  assert.deepEqual(log.lines, ["a", "b"]);
  assert.deepEqual(log.notes, []);
});

Deno.test("FollowedFile counts no line twice when a copy overwrites the one before", async () => {
  await using log = await Following.begin();
  await log.append("a\n");
  await log.step();
  for (const text of ["b\n", "c\n", "d\n"]) {
    await log.append(`${text}${text.toUpperCase()}`);
    await Deno.copyFile(log.path, `${log.path}.1`);
    await log.step();
    await Deno.truncate(log.path);
    await log.step();
  }
  await log.append("e\n");
  await log.step();
  assert.deepEqual(log.lines.join(""), "abBcCdDe");
});

Deno.test("FollowedFile reads what was rotated twice between two looks, and names it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.writeTextFile(`${folder}/log.3`, "old\n");
  await gzipInPlace(`${folder}/log.3`);
  await using log = await Following.begin(folder);
  await log.append("a\n");
  await log.step();
  await log.append("b\n");
  await Deno.rename(log.path, `${log.path}.2`);
  await log.append("c\n", `${log.path}.1`);
  await gzipInPlace(`${log.path}.1`);
  await log.append("d\n");
  await log.step();
  await log.step();
  assert.deepEqual(log.lines.toSorted(), ["a", "b", "c", "d"]);
  assert.deepEqual(log.notes, [
    'Also reading "log.1.gz" from its start: it is "log" from between two looks',
  ]);
});

Deno.test("FollowedFile tells a file from another one with the same inode, by its bytes", async () => {
  const first = await Following.begin();
  await first.append("one\ntwo\n");
  await first.step();
  const place = await first.stop();
  await Deno.remove(first.path);
  await first.append("eins\nzwei\ndrei\n");
  const inode = (await Deno.stat(first.path)).ino ?? 0;
  const files = place.files.map((file) => ({ ...file, inode }));
  const next = Following.begin(first.folder, { ...place, files });
  await using again = await next;
  for (let looks = 0; looks < 7; looks++) await again.step();
  assert.deepEqual(again.lines, ["eins", "zwei", "drei"]);
  assert.match(
    again.warnings.join(),
    /^the file that was followed as "log" \(inode \d+, read up to byte 8\) is gone: any bytes written to it since then are lost$/,
  );
});

Deno.test("FollowedFile reads what was rotated away, compressed and removed while nobody took lines", async () => {
  await using log = await Following.begin();
  await log.append("a\n");
  log.hold();
  await log.step();
  for (const text of ["b\n", "c\n", "d\n"]) {
    await log.append(text);
    await log.step();
    await Deno.rename(log.path, `${log.path}.1`);
    await log.append("late\n", `${log.path}.1`);
    await log.step();
    await Deno.remove(`${log.path}.1`);
  }
  await log.append("e\n");
  await log.release();
  await log.step();
  assert.deepEqual(log.lines, ["a", "b", "late", "c", "late", "d", "late", "e"]);
  assert.equal(log.warnings.length, 1);
});

Deno.test("FollowedFile finds a file that was moved to another directory, as logrotate's olddir does", async () => {
  const first = await Following.begin();
  await first.append("a\n");
  await first.step();
  const place = await first.stop();
  await first.append("b\n");
  await Deno.mkdir(`${first.folder}/old`);
  await Deno.rename(first.path, `${first.folder}/old/log-20261130`);
  await first.append("c\n");
  await using next = await Following.begin(first.folder, place);
  assert.deepEqual(next.lines, ["b", "c"]);
  assert.deepEqual(next.warnings, []);
});

Deno.test("FollowedFile finds what an empty file became that was moved to another directory", async () => {
  const first = await Following.begin();
  await Deno.writeTextFile(first.path, "");
  await first.step();
  const place = await first.stop();
  assert.equal(place.files.length, 1);
  await Deno.mkdir(`${first.folder}/old`);
  await first.append("a\n");
  await Deno.rename(first.path, `${first.folder}/old/log.2`);
  await first.append("b\n");
  await Deno.rename(first.path, `${first.folder}/old/log.1`);
  await first.append("c\n");
  await using next = await Following.begin(first.folder, place);
  await next.step();
  await next.step();
  assert.deepEqual(next.lines.toSorted(), ["a", "b", "c"]);
});

Deno.test("FollowedFile takes up a place of version 2.0", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.writeTextFile(`${folder}/log`, "a\nb\n");
  const { dev: device, ino: inode } = await Deno.stat(`${folder}/log`);
  const sha256 = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode("a\n")),
  )
    .toHex();
  const files = [{ device, inode, offset: 2, head: { length: 2, sha256 } }];
  const place = readPlace({ at: Date.now(), files });
  assert.ok(place !== undefined);
  await using log = await Following.begin(folder, place);
  assert.deepEqual(log.lines, ["b"]);
  assert.deepEqual(log.warnings, []);
});

Deno.test("FollowedFile begins at the end, with a line that is being written", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.writeTextFile(`${folder}/log`, "header\nold\nne");
  await using log = await Following.begin(folder, undefined, { begin: "end" });
  await log.append("w\n");
  await log.step();
  assert.deepEqual(log.lines, ["new"]);
  assert.deepEqual(log.heads, ["header\n"]);
  assert.deepEqual(log.notes, [
    'Following "log" from its end, byte 11. To include existing lines, add --from start',
  ]);
});

Deno.test("FollowedFile waits while something else stands in the file's place", async () => {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await using log = await Following.begin(folder, undefined, { name: "logs/app.log" });
  await log.step();
  assert.deepEqual(log.warnings, ['"log" does not exist yet: waiting until it does']);
  await Deno.mkdir(`${folder}/logs`);
  await log.append("a\n");
  await log.step();
  await Deno.rename(`${folder}/logs`, `${folder}/logs-before`);
  await log.step();
  await Deno.mkdir(`${folder}/logs/app.log`, { recursive: true });
  await log.step();
  await log.step();
  await Deno.remove(log.path);
  await new Deno.Command("mkfifo", { args: [log.path] }).output();
  await log.step();
  await Deno.remove(log.path);
  await log.append("b\n");
  await log.step();
  assert.deepEqual(log.lines, ["a", "b"]);
  assert.deepEqual(log.warnings.slice(1), [
    'cannot read the state of "log" (it is a directory): retrying',
    'cannot read the state of "log" (it is not a regular file): retrying',
  ]);
});

Deno.test("FollowedFile reads what was written, copied and truncated while the file looked empty", async () => {
  const first = await Following.begin();
  await first.append("a\n");
  await first.step();
  const copyAndTruncate = async (to: string) => {
    await Deno.copyFile(first.path, `${first.path}.${to}`);
    await Deno.truncate(first.path);
  };
  await copyAndTruncate("1");
  await first.step();
  await first.append("b\n");
  await copyAndTruncate("2");
  await first.step();
  await first.step();
  const place = await first.stop();
  assert.deepEqual(first.lines, ["a", "b"]);
  await first.append("c\n");
  await copyAndTruncate("3");
  await using next = await Following.begin(first.folder, place);
  await next.step();
  assert.deepEqual(next.lines, ["c"]);
});
