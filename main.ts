import { main } from "./src/cli.ts";

Deno.exitCode = await main(Deno.args);
