/**
 * Cost of the spool: a loop without a pause to a local receiver, with and without one, in turn.
 *
 *   OTLP_HISTOGRAM_BIN=… deno run -A bench/spool.ts [SENDS] [PAIRS]
 *
 * The spool is made in the directory for temporary files, so the measured fsync is that disk's.
 */
import { inTempFolder, machine, median, program, receiver, table } from "./support.ts";

const SENDS = Number(Deno.args[0] ?? 2000);
const PAIRS = Number(Deno.args[1] ?? 5);

/** Measures sends per second, including start and end of the process. */
async function rate(command: readonly string[], cwd: string): Promise<number> {
  const [name = "", ...args] = command;
  const began = performance.now();
  const { code, stderr } = await new Deno.Command(name, { args, cwd, stdout: "null" }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return SENDS / (performance.now() - began) * 1000;
}

if (import.meta.main) {
  await inTempFolder(async (cwd) => {
    const sink = receiver();
    const ours = await program(cwd);
    const loop = [
      ...[...ours, "--endpoint", sink.url, "--quiet", "--compression", "none"],
      ...["--loop", "--interval", "0", "--iterations", String(SENDS)],
    ];
    const off: number[] = [];
    const on: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      off.push(await rate(loop, cwd));
      on.push(await rate([...loop, "--spool", "spool"], cwd));
    }
    await sink.close();
    const row = (name: string, rates: readonly number[]) => [
      name,
      median(rates).toFixed(0),
      (1000 / median(rates)).toFixed(2),
      `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`,
    ];
    console.log(table([
      ["", "sends/s, median", "ms a send", "from … to"],
      row("without a spool", off),
      row("with a spool", on),
    ]));
    const per = (1000 / median(on) - 1000 / median(off)).toFixed(2);
    console.log(`\nThe spool costs ${per} ms a send (${SENDS} sends, ${PAIRS} pairs).`);
    console.log(await machine());
  });
}
