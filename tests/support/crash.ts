import { main } from "../../src/cli/main.ts";

// The program with a fault: after SIGUSR1 a promise is rejected that nobody waits for, or something is thrown in a callback.
Deno.addSignalListener(
  "SIGUSR1",
  () => void Promise.reject(new Error(Deno.env.get("DT_API_TOKEN"))),
);
Deno.addSignalListener("SIGUSR2", () => {
  throw new Error("Too many open files (os error 24)");
});

Deno.exit(await main(Deno.args));
