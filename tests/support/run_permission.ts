import { main } from "../../src/cli/main.ts";

/** Runs the program, then prints on standard error whether this process may still run programs. */
await main(Deno.args);
await Deno.stderr.write(
  new TextEncoder().encode(`run: ${Deno.permissions.querySync({ name: "run" }).state}\n`),
);
Deno.exit(0);
