import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { inDirectory } from "./directory.ts";
import { missing, noLinux, reasonUnless, tool } from "./tools.ts";

const BUSYBOX = "/bin/busybox";

/** Why containers cannot be tried here; undefined when they can. */
export const noContainers = noLinux ?? missing("PODMAN") ?? missing("BUILDAH") ??
  reasonUnless(Deno.uid() === 0, "it needs root, for buildah and podman") ??
  reasonUnless(isThere(BUSYBOX), `it needs ${BUSYBOX}, for a stand-in for an image`);

/** The name under which a release publishes the image. */
export const PUBLISHED = `ghcr.io/ihudak/otlp_histogram:${configuration.version}`;

export const ROOT = new URL("../../", import.meta.url).pathname;

/** Tells what this run of the tests makes from what another one makes at the same time. */
export const RUN = crypto.randomUUID().slice(0, 8);

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function ran(
  command: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Output of podman; throws when podman fails. */
export async function podman(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ran(tool("PODMAN"), args);
  assert.equal(code, 0, `podman ${args.join(" ")}: ${stderr}`);
  return stdout.trimEnd();
}

/** Base images, or stand-ins for them, are there already: nothing can be pulled. */
export const BUILD = ["bud", "--isolation", "chroot", "--pull-never", "--network", "host"];

async function buildah(directory: string, ...names: readonly string[]): Promise<void> {
  const { code, stderr, stdout } = await ran(
    tool("BUILDAH"),
    [...BUILD, ...names.flatMap((name) => ["-t", name]), "."],
    { cwd: directory },
  );
  assert.equal(code, 0, stdout + stderr);
}

/** The image that the Dockerfile puts the executable into. */
export async function runImage(): Promise<string> {
  const images = (await Deno.readTextFile(`${ROOT}Dockerfile`)).matchAll(/^FROM (\S+)$/gm);
  const [, name] = [...images].at(-1) ?? [];
  assert.ok(name, "the Dockerfile names no image to run");
  return name;
}

export interface Image {
  readonly name: string;
  readonly seconds: number;
  readonly bytes: number;
  remove(): Promise<void>;
}

/** Builds the Dockerfile, under the name that a release publishes and under a name of this run. */
export async function buildImage(): Promise<Image> {
  const name = `localhost/otlp-histogram-test:${RUN}`;
  const start = performance.now();
  await buildah(ROOT, name, PUBLISHED);
  const seconds = (performance.now() - start) / 1000;
  const bytes = Number(await podman("image", "inspect", "-f", "{{.Size}}", name));
  return { name, seconds, bytes, remove: async () => void await podman("rmi", "-f", name) };
}

/** An image of one program of this machine, on what `base` names, in place of one that cannot be pulled. */
export async function standIn(
  names: readonly string[],
  program: string,
  base: string,
  links: readonly string[] = [],
): Promise<void> {
  await inDirectory(async (directory) => {
    const name = program.replace(/.*\//, "");
    await Deno.mkdir(`${directory}/bin`);
    await Deno.copyFile(program, `${directory}/bin/${name}`);
    await Deno.chmod(`${directory}/bin/${name}`, 0o755);
    for (const link of links) await Deno.symlink(name, `${directory}/bin/${link}`);
    const entry = links.length > 0 ? "" : `ENTRYPOINT ["/bin/${name}"]\n`;
    await Deno.writeTextFile(`${directory}/Dockerfile`, `FROM ${base}\nCOPY bin/ /bin/\n${entry}`);
    await buildah(directory, ...names);
  });
}

/** The stand-in for busybox, by the name that k8s/ uses. */
export const BUSYBOX_IMAGE = "docker.io/library/busybox:1.37";

/** busybox under the names that docs/ and k8s/ use. */
export function busyboxStandIn(): Promise<void> {
  const names = ["docker.io/library/busybox:latest", BUSYBOX_IMAGE];
  return standIn(names, BUSYBOX, "scratch", ["sh", "date", "sleep", "chown"]);
}

function isThere(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
