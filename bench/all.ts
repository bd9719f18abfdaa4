/** Runs every benchmark in turn. Takes about a quarter of an hour on two cores. */
const BENCHES = [
  "start",
  "memory",
  "encode",
  "throughput",
  "workers",
  "point_rate",
  "receive",
  "file",
  "input",
  "suggestion",
  "spool",
  "faults",
];

for (const name of BENCHES) {
  console.log(`\n## bench/${name}.ts\n`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--frozen", "--quiet", "--no-prompt", "--allow-all", `bench/${name}.ts`],
    stdin: "null",
  }).spawn().status;
  if (!success) Deno.exitCode = 1;
}
