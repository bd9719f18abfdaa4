import type { Certificate } from "./certificates.ts";
import { Process } from "./process.ts";

/** Why tests with openssl cannot run here; undefined when they can. */
export const noOpenssl: string | undefined = await new Deno.Command("openssl", {
  args: ["version"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success ? undefined : "openssl does not run", (thrown) => {
  if (thrown instanceof Deno.errors.NotFound) return "there is no openssl";
  throw thrown;
});

export interface OpensslServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * A TLS server of OpenSSL, which takes certificates, versions and ciphers that Deno takes no part in. It answers no POST.
 * In `args`, `{name}` is the path of that file.
 */
export async function startOpenssl(
  { certificate, key }: Certificate,
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<OpensslServer> {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-openssl-" });
  for (const [name, text] of Object.entries({ ...files, certificate, key })) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
  const server = new Process("sh", [
    "-c",
    // Its messages go to standard output.
    'exec openssl s_server -www -accept 127.0.0.1:0 "$@" >&2',
    "sh",
    ...["-cert", "{certificate}", "-key", "{key}", ...args].map((arg) =>
      arg.replace(/^\{(\w+)\}$/, `${directory}/$1`)
    ),
  ]);
  const log = await server.logged(/^ACCEPT \S+:\d+/m);
  return {
    port: Number(/^ACCEPT \S+:(\d+)/m.exec(log)?.[1]),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}
