import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { decodeRequest } from "../../src/otlp/decode.ts";

// What an image without anything else runs: the executable as user 65532 in a root directory that holds it, the
// libraries that it names, and /proc.

const executable = Deno.env.get("OTLP_HISTOGRAM_BIN") || undefined;
const reason = executable === undefined ? undefined : await whyNot();
if (executable === undefined) {
  // Not a skip: the tests from source have nothing to put there.
  console.log("empty root: no tests without OTLP_HISTOGRAM_BIN, the path of a compiled executable");
} else {
  if (reason !== undefined) console.log(`empty root: skipped, because ${reason}`);
  test("the executable prints its version when nothing else is in the root directory", async () => {
    await using root = await emptyRoot(executable);
    const { code, stdout, stderr } = await root.run(["--version"]);
    assert.deepEqual({ code, stdout, stderr }, {
      code: 0,
      stdout: `${configuration.version}\n`,
      stderr: "",
    });
  });

  test("the executable prints its help when nothing else is in the root directory", async () => {
    await using root = await emptyRoot(executable);
    const { code, stdout, stderr } = await root.run(["--help"]);
    assert.match(stdout, /--endpoint/);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  });

  test("the executable sends once when nothing else is in the root directory", async () => {
    await using receiver = localReceiver();
    await using root = await emptyRoot(executable);
    const { code, stdout, stderr } = await root.run(["--output", "json"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /"type":"summary","recorded":5,"delivered":5,/);
    assert.deepEqual(receiver.counts, [5]);
  });

  test("the executable sends in a loop until SIGTERM when nothing else is in the root directory", async () => {
    await using receiver = localReceiver();
    await using root = await emptyRoot(executable);
    const sends = root.run(["--loop", "--interval", "0.05"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    }, (child) => void receiver.third.then(() => child.kill("SIGTERM")));
    const { code, stdout, stderr } = await sends;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /Shutdown complete\.\n$/);
    assert.ok(receiver.counts.length >= 3);
    assert.ok(receiver.counts.every((count) => count === 5));
  });
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: reason !== undefined, fn });
}

/** Why it cannot be tried here. */
async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "it needs Linux";
  if (Deno.uid() !== 0) return "it needs root, for chroot and a mount";
  const { code, stderr } = await tool("unshare", ["--mount", "chroot", "--version"]);
  return code === 0 ? undefined : `it needs a mount namespace: ${stderr.trim()}`;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function tool(command: string, args: readonly string[]): Promise<Ended> {
  try {
    return text(await new Deno.Command(command, { args: [...args] }).output());
  } catch (thrown) {
    return { code: 127, stdout: "", stderr: String(thrown) };
  }
}

function text({ code, stdout, stderr }: Deno.CommandOutput): Ended {
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A directory with the executable, its libraries and an empty /proc, which is removed when it is disposed of. */
async function emptyRoot(executable: string) {
  const root = await Deno.makeTempDir({ prefix: "otlp-histogram-root-" });
  try {
    await fill(root, executable);
  } catch (thrown) {
    await Deno.remove(root, { recursive: true });
    throw thrown;
  }
  const before = await names(root);
  return {
    async run(
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
      started: (child: Deno.ChildProcess) => void = () => {},
    ): Promise<Ended> {
      // The mount is private to the namespace and gone with its last process, whatever happens here. Each command
      // replaces the one before it, so that a signal reaches the program itself.
      const script =
        'mount --bind /proc "$0/proc" && exec chroot --userspec=65532:65532 --groups= "$0" "$@"';
      const child = new Deno.Command("unshare", {
        args: [
          "--mount",
          "--propagation",
          "private",
          "sh",
          "-c",
          script,
          root,
          "/otlp-histogram",
          ...args,
        ],
        clearEnv: true,
        env: { PATH: Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      started(child);
      const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
      try {
        return text(await child.output());
      } finally {
        clearTimeout(limit);
      }
    },
    async [Symbol.asyncDispose]() {
      const after = await names(root);
      await Deno.remove(root, { recursive: true });
      assert.deepEqual(after, before, "the program left something behind");
    },
  };
}

async function fill(root: string, executable: string): Promise<void> {
  // The user must be able to enter what belongs to root.
  await Deno.chmod(root, 0o755);
  await Deno.mkdir(`${root}/proc`);
  await Deno.copyFile(executable, `${root}/otlp-histogram`);
  await Deno.chmod(`${root}/otlp-histogram`, 0o755);
  for (const library of await libraries(executable)) {
    await Deno.mkdir(root + library.slice(0, library.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(library, root + library);
  }
}

/** The files that the dynamic linker will look for, itself included. */
async function libraries(executable: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tool("ldd", [executable]);
  assert.equal(code, 0, stderr);
  const found = [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = ""]) => path);
  assert.ok(found.length > 0, `ldd names no library: ${stdout}`);
  return found;
}

async function names(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    found.push(`${folder}/${name}`);
    if (isDirectory) found.push(...await names(`${folder}/${name}`));
  }
  return found.sort();
}

/** Accepts everything, and keeps the number of measurements of each request. */
function localReceiver() {
  const counts: number[] = [];
  const third = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { body } = request;
    if (body === null) return new Response(null, { status: 400 });
    const gzip = request.headers.get("Content-Encoding") === "gzip";
    const plain = gzip ? body.pipeThrough(new DecompressionStream("gzip")) : body;
    counts.push(measurements(new Uint8Array(await new Response(plain).arrayBuffer())));
    if (counts.length === 3) third.resolve();
    return new Response(null, { headers: { "Content-Type": "application/x-protobuf" } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    counts,
    /** Resolves at the third request. */
    third: third.promise,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function measurements(body: Uint8Array): number {
  return decodeRequest(body).resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ data }) => data.case === "histogram" ? data.value.dataPoints : [])
    .reduce((sum, { count }) => sum + Number(count), 0);
}
