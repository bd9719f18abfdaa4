/**
 * The floor of the benchmarks: posts BYTES zeros to URL once, or every SECONDS until it is stopped.
 * Arguments: URL BYTES [SECONDS]
 */
const [url = "", bytes = "0", seconds] = Deno.args;
const body = new Uint8Array(Number(bytes));
do {
  const response = await fetch(url, { method: "POST", body });
  await response.arrayBuffer();
  if (seconds !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
  }
} while (seconds !== undefined);
