import assert from "node:assert/strict";
import { commandBlocks, reasonNotRun } from "./command_block.ts";
import { BLOCKS_NOT_RUN } from "./not_run.ts";

Deno.test("most blocks of commands are run, and each of the others is there", async () => {
  const blocks = await commandBlocks();
  for (const { page, has, reason } of BLOCKS_NOT_RUN) {
    const found = blocks.filter((block) => block.page === page && block.text.includes(has));
    assert.equal(found.length, 1, `${page}: ${found.length} blocks have ${has} (${reason})`);
  }
  const run = blocks.filter((block) => reasonNotRun(block) === undefined);
  assert.ok(run.length > 35, `${run.length} blocks are run`);
});
