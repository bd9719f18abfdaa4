import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { decode } from "../support/decode.ts";
import { freePort } from "../support/process.ts";
import { type ReceivedRequest, startReceiver } from "../support/receiver.ts";
import { namedUnless } from "../support/tools.ts";
import { SAMPLES } from "../support/wording.ts";
import { atLeastOne } from "../support/cases.ts";
import type { Ran } from "../support/podman.ts";

// The executable in an image without anything else, as k8s/ runs it: as user 65532 in a root directory that
// holds it, the libraries that it names, and /proc; read-only but for the spool.

const executable = Deno.env.get("OTLP_HISTOGRAM_BIN") || undefined;
const reason = executable === undefined ? undefined : await whyNot();
if (executable === undefined) {
  // Not a skip: the tests from source have nothing to put there.
  console.log("empty root: no tests without OTLP_HISTOGRAM_BIN, the path of a compiled executable");
} else {
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
    await using receiver = await startReceiver();
    await using root = await emptyRoot(executable);
    const samples = { type: "warning", message: SAMPLES };
    const { code, stdout, stderr } = await root.run(["--output", "json"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: `${JSON.stringify(samples)}\n` });
    assert.match(stdout, /"type":"summary","recorded":5,"delivered":5,/);
    assert.deepEqual(receiver.requests.map(measurements), [5]);
  });

  test("the executable sends in a loop until SIGTERM when nothing else is in the root directory", async () => {
    await using receiver = await startReceiver();
    await using root = await emptyRoot(executable);
    await using running = root.start(["--loop", "--interval", "0"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    await receiver.waitForRequests(3);
    running.signal("SIGTERM");
    const { code, stdout, stderr } = await running.ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /Shutdown complete\.\n$/);
    assert.ok(receiver.requests.every((request) => measurements(request) === 5));
  });

  test("killed in an outage and started again on the same spool, the executable loses nothing; probes tell", async () => {
    let well = false;
    let hangs = false;
    await using receiver = await startReceiver({
      answers: Array.from({ length: 10_000 }, () => () => hangs ? "hang" : well ? 200 : 503),
    });
    await using root = await emptyRoot(executable);
    const health = `127.0.0.1:${freePort()}`;
    const start = () =>
      root.start(["--loop", "--interval", "0.1", "--output", "json"], {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTLP_HISTOGRAM_SPOOL: "/spool",
        OTLP_HISTOGRAM_HEALTH: health,
      });

    await using first = start();
    await receiver.waitForRequests(5);
    await becomes(`http://${health}/readyz`, 503);
    await becomes(`http://${health}/livez`, 200);
    assert.match(
      await becomes(`http://${health}/metrics`, 200),
      /^otlp_histogram_pending_measurements [1-9]/m,
    );
    first.signal("SIGKILL");
    const killed = await first.ended;
    assert.equal(killed.code, 137, killed.stderr);
    const told = sendsOf(killed.stdout).reduce((sum, send) => sum + send.measurements, 0);
    assert.ok(told > 0, killed.stdout);

    well = true;
    await using second = start();
    await becomes(`http://${health}/readyz`, 200);
    await receiver.waitForRequests(receiver.requests.length + 3);
    second.signal("SIGTERM");
    const ended = await second.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /"dropped":0,"pending":0,.*"exitCode":0/);
    const accepted = new Map(
      receiver.requests.filter(({ answered }) => answered === 200)
        .map((request) => [request.content.toHex(), measurements(request)]),
    );
    const delivered = [...accepted.values()].reduce((sum, count) => sum + count, 0);
    const here = sendsOf(ended.stdout).reduce((sum, send) => sum + send.measurements, 0);
    assert.ok(delivered >= told + here, `${delivered} of ${told} and ${here}`);

    // A receiver that hangs does not keep it from ending inside the grace period: 20 s are the test's own limit.
    hangs = true;
    await using third = start();
    await receiver.waitForRequests(receiver.requests.length + 1);
    third.signal("SIGTERM");
    const { code, stdout, stderr } = await third.ended;
    assert.equal(code, 1, stderr);
    assert.match(stdout, /"dropped":0,"pending":[1-9]\d*,.*"exitCode":1/);
    assert.match(stderr, /not delivered/);
  });

  test("the executable says that it cannot write outside of its spool, and sends all the same", async () => {
    await using receiver = await startReceiver();
    await using root = await emptyRoot(executable);
    const { code, stderr } = await root.run(["--spool", "/elsewhere", "--value", "1"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^WARNING: Cannot use the spool "\/elsewhere" \(Read-only file system/);
    assert.deepEqual(receiver.requests.map(measurements), [1]);
  });
}

function measurements({ content }: ReceivedRequest): number {
  return decode(content).metrics.flatMap(({ points }) => points)
    .reduce((sum, { count }) => sum + count, 0);
}

function sendsOf(stdout: string): readonly { readonly measurements: number }[] {
  return stdout.split("\n").filter((line) => line.startsWith('{"type":"send"'))
    .map((line) => JSON.parse(line));
}

/** Asks until the answer has that status, a minute at most; resolves to its text. */
async function becomes(url: string, status: number): Promise<string> {
  const limit = AbortSignal.timeout(60_000);
  for (;;) {
    limit.throwIfAborted();
    try {
      const answer = await fetch(url, { signal: limit });
      const text = await answer.text();
      if (answer.status === status) return text;
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown; // not listening yet
    }
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...namedUnless(reason, name), fn });
}

/** Why it cannot be tried here. */
async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "it needs Linux";
  if (Deno.uid() !== 0) return "it needs root, for chroot and a mount";
  const { code, stderr } = await tool("unshare", ["--mount", "chroot", "--version"]);
  return code === 0 ? undefined : `it needs a mount namespace: ${stderr.trim()}`;
}

interface Running extends AsyncDisposable {
  signal(signal: Deno.Signal): void;
  readonly ended: Promise<Ran>;
}

async function tool(command: string, args: readonly string[]): Promise<Ran> {
  try {
    return text(await new Deno.Command(command, { args: [...args] }).output());
  } catch (thrown) {
    return { code: 127, stdout: "", stderr: String(thrown) };
  }
}

function text({ code, stdout, stderr }: Deno.CommandOutput): Ran {
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A directory with the executable, its libraries, an empty /proc and a spool; removed when it is disposed of. */
async function emptyRoot(executable: string) {
  const root = await Deno.makeTempDir({ prefix: "otlp-histogram-root-" });
  try {
    await fill(root, executable);
  } catch (thrown) {
    await Deno.remove(root, { recursive: true });
    throw thrown;
  }
  const before = await names(root);
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
    // The mounts are private to the namespace and gone with its last process, whatever happens here. Each command
    // replaces the one before it, so that a signal reaches the program itself.
    const script = [
      'mount --bind "$0" "$0"',
      'mount --bind /proc "$0/proc"',
      'mount --bind "$0/spool" "$0/spool"',
      'mount -o remount,bind,ro "$0"',
      'exec chroot --userspec=65532:65532 --groups= "$0" "$@"',
    ].join(" && ");
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
    let over = false;
    const kill = (signal: Deno.Signal) => {
      if (!over) child.kill(signal);
    };
    const limit = setTimeout(() => kill("SIGKILL"), 20_000);
    const ended = child.output().then(text).finally(() => {
      over = true;
      clearTimeout(limit);
    });
    return {
      signal: kill,
      ended,
      async [Symbol.asyncDispose]() {
        kill("SIGKILL");
        await ended;
      },
    };
  };
  return {
    start,
    run: (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      start(args, env).ended,
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
  await Deno.mkdir(`${root}/spool`);
  await Deno.chown(`${root}/spool`, 65532, 65532);
  await Deno.copyFile(executable, `${root}/otlp-histogram`);
  await Deno.chmod(`${root}/otlp-histogram`, 0o755);
  for (const library of atLeastOne(await libraries(executable))) {
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
    if (isDirectory && name !== "spool") found.push(...await names(`${folder}/${name}`));
  }
  return found.sort();
}
