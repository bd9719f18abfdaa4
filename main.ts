import { main } from "./src/cli/main.ts";

// Nothing is left to wait for, and taking the runtime apart would add 2 ms to a send.
Deno.exit(await main(Deno.args));
