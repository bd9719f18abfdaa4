/**
 * Tells what a test has measured: on standard output, which `deno test --quiet` hides, and a line in the file that
 * OTLP_HISTOGRAM_FIGURES names.
 */
export async function figure(text: string): Promise<void> {
  console.log(text);
  const file = Deno.env.get("OTLP_HISTOGRAM_FIGURES");
  if (file) await Deno.writeTextFile(file, `${text}\n`, { append: true });
}
