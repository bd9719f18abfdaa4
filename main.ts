import { main } from "./src/cli/main.ts";

// A pending read of standard input or of a pipe would keep the process alive, and taking the runtime apart would add
// 2 ms to a send.
Deno.exit(await main(Deno.args));
