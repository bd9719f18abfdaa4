import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { inDirectory } from "../support/directory.ts";
import { figure } from "../support/figure.ts";
import { TOKEN } from "../support/fixture.ts";
import {
  buildImage,
  busyboxStandIn,
  noContainers,
  podman,
  ran,
  ROOT,
  RUN,
  runImage,
  standIn,
} from "../support/podman.ts";
import { freePort } from "../support/process.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { missing, tool } from "../support/tools.ts";

// The image that the Dockerfile makes, and every `docker` command that the documents show, with podman under the name
// of docker and a receiver on this machine in place of Dynatrace.

const LABEL = `otlp-histogram-test=${RUN}`;

/** A command as a document shows it, and the document. */
interface Shown {
  readonly command: string;
  readonly document: string;
}

/** Surroundings of a command: a directory with a .env, and a receiver that the .env names. */
interface World {
  readonly directory: string;
  readonly receiver: Receiver;
  /** Where the command's port 8080 is. */
  readonly health: number;
}

interface Finished {
  readonly code: number;
  readonly output: string;
}

/** How to run a command, and what must come of it. */
interface Case {
  readonly command: RegExp;
  readonly run: (start: () => Started, world: World) => Promise<void>;
}

interface Started {
  readonly finished: Promise<Finished>;
  stop(): void;
}

function documents(): readonly string[] {
  const names = [...Deno.readDirSync(`${ROOT}docs`)].map(({ name }) => `docs/${name}`)
    .filter((name) => name.endsWith(".md"));
  return ["README.md", "k8s/README.md", ...names.sort()];
}

/** The docker commands of a document: lines of code blocks, and inline code that names an image. */
function commandsIn(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^ *```(?:sh|bash)\n([^]*?)^ *```$/gm)]
    .flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.trim().replace(/\s+#.*$/, ""));
  const inline = [...markdown.replaceAll(/^ *```[^]*?^ *```$/gm, "").matchAll(/`([^`]+)`/g)]
    .map(([, code = ""]) => code.replaceAll(/\s+/g, " "))
    .filter((code) => /(busybox|otlp[-_]histogram)[: ]/.test(code) && !code.includes("…"));
  return [...blocks, ...inline].filter((line) => line.startsWith("docker "));
}

const LOOP: Case["run"] = async (start, { receiver }) => {
  const running = start();
  try {
    await receiver.waitForRequests(receiver.requests.length + 1, 60_000);
  } finally {
    running.stop();
  }
  const { code, output } = await running.finished;
  assert.equal(code, 0, output);
  assert.match(output, /Shutdown complete\./);
};

/** Runs to its end, which must be good, and prints what matches. */
function prints(what: RegExp): Case["run"] {
  return async (start) => {
    const { code, output } = await start().finished;
    assert.equal(code, 0, output);
    assert.match(output, what);
  };
}

const CASES: readonly Case[] = [
  { command: /^docker run --env-file \.env \S+$/, run: LOOP },
  { command: /^docker run --rm -e DT_ENDPOINT="\S+" -e DT_API_TOKEN \S+$/, run: LOOP },
  { command: /^docker run --rm --env-file \.env \S+ check$/, run: prints(/^✓ token /m) },
  {
    command: /^docker run --rm --env-file \.env \S+ --value 12$/,
    run: prints(/Sent 1 measurement\./),
  },
  { command: /^docker volume create \S+$/, run: prints(/otlp-histogram-spool/) },
  { command: /^docker run --rm -v \S+ busybox chown 65532:65532 \/spool$/, run: prints(/^/) },
  {
    command: /^docker run -d --name \S+ .*--read-only .*--memory 128m /,
    async run(start, { receiver, health }) {
      const before = receiver.requests.length;
      const { code, output } = await start().finished;
      assert.equal(code, 0, output);
      const name = `histogram-sender-${RUN}`;
      await receiver.waitForRequests(before + 2, 60_000);
      for (const path of ["livez", "readyz", "metrics"]) {
        const answer = await fetch(`http://127.0.0.1:${health}/${path}`);
        assert.equal(answer.status, 200, await answer.text());
      }
      const limits = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.Config.User}}";
      assert.equal(await podman("inspect", "-f", limits, name), "true 134217728 65532:65532");
      const begin = performance.now();
      await podman("stop", name);
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(seconds < 10, `${seconds} s`);
      const { stdout, stderr } = await ran(tool("PODMAN"), ["logs", name]);
      assert.match(stdout, /Shutdown complete\./);
      assert.doesNotMatch(stderr, /Cannot use the spool/);
      assert.equal(await podman("inspect", "-f", "{{.State.ExitCode}}", name), "0");
      await figure(`docker stop: ${seconds.toFixed(1)} s`);
    },
  },
  {
    command: /^docker inspect --format '\{\{ json \.Config\.Labels \}\}' \S+$/,
    run: prints(/"org\.opencontainers\.image\.licenses":\s*"MIT"/),
  },
  {
    command: /^docker build -t otlp-histogram \.$/,
    run: prints(/Successfully tagged localhost\/otlp-histogram:latest/),
  },
  {
    command: /^docker run --rm \S*otlp[-_]histogram\S* demo$/,
    run: prints(/^Received 3 requests: /m),
  },
  {
    command: /^docker compose up --build$/,
    async run(start) {
      const running = start();
      try {
        await stored("sum(http.server.request.duration_count)");
      } finally {
        running.stop();
        await running.finished;
      }
    },
  },
];

/** Asks VictoriaMetrics, as compose.yaml publishes it, until a query has a value above 0; 60 s at most. */
async function stored(query: string): Promise<void> {
  const limit = AbortSignal.timeout(60_000);
  const selector = query.replace(/\((.*)\)/, '({__name__="$1"})');
  for (;;) {
    limit.throwIfAborted();
    try {
      const answer = await fetch(
        `http://127.0.0.1:8428/api/v1/query?${new URLSearchParams({
          query: selector,
          latency_offset: "1ms",
          nocache: "1",
        })}`,
        { signal: limit },
      );
      const text = await answer.text();
      if (/"value":\[[\d.]+,"[1-9]/.test(text)) return;
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown; // not listening yet
    }
  }
}

const reason = noContainers ?? missing("PODMAN_COMPOSE") ?? missing("OTELCOL_CONTRIB") ??
  missing("VICTORIAMETRICS");
if (reason !== undefined) {
  // Not a skip: it is a stage of its own.
  console.log(`containers: no tests, ${reason}`);
} else {
  const image = await buildImage();

  Deno.test.afterAll(() => image.remove());

  Deno.test("the image has the executable and licences, and nothing else above its base image", async () => {
    const [base, built] = [await filesOf(await runImage()), await filesOf(image.name)];
    assert.deepEqual([...built.difference(base)].sort(), [
      "/licenses/LICENSE",
      "/licenses/THIRD-PARTY-LICENSES",
      "/usr/local/bin/otlp-histogram",
    ]);
    assert.deepEqual([...base.difference(built)], []);
    const settings = await podman("image", "inspect", "-f", "{{json .Config}}", image.name);
    const { User, Entrypoint, Cmd }: Record<string, unknown> = JSON.parse(settings);
    assert.deepEqual({ User, Entrypoint, Cmd }, {
      User: "65532:65532",
      Entrypoint: ["/usr/local/bin/otlp-histogram"],
      Cmd: ["--loop"],
    });
    const version = await podman("run", "--rm", "--read-only", image.name, "--version");
    assert.equal(version, configuration.version);
    await figure(
      `image: built in ${image.seconds.toFixed(1)} s, ${(image.bytes / 1e6).toFixed(1)} MB`,
    );
  });

  Deno.test("every docker command of the documents works", async (t) => {
    const shown: Shown[] = [];
    for (const document of documents()) {
      const markdown = await Deno.readTextFile(ROOT + document);
      shown.push(...commandsIn(markdown).map((command) => ({ command, document })));
    }
    const left = shown.filter(({ command }) => !CASES.some((it) => it.command.test(command)));
    assert.deepEqual(left, [], "Add a case for these commands");
    await busyboxStandIn();
    await standIns();
    await using receiver = await startReceiver();
    await inDirectory(async (directory) => {
      const world = { directory, receiver, health: freePort() };
      await prepare(world);
      // In the order of the cases: a volume is made before it is used.
      for (const { command, run } of CASES) {
        const same = shown.filter((it) => command.test(it.command));
        assert.ok(same.length > 0, `no document shows ${command}`);
        for (const { command, document } of same) {
          await t.step(`${command} (${document})`, () => run(() => start(command, world), world));
        }
      }
    }).finally(cleanUp);
  });
}

/** The images that compose.yaml names, of the programs that the other tests drive. */
async function standIns(): Promise<void> {
  const compose = await Deno.readTextFile(`${ROOT}compose.yaml`);
  for (const [, name = ""] of compose.matchAll(/^ {4}image: (\S+)$/gm)) {
    const program = tool(/victoria/.test(name) ? "VICTORIAMETRICS" : "OTELCOL_CONTRIB");
    await standIn([`docker.io/${name}`], program, await runImage());
  }
}

async function prepare({ directory, receiver }: World): Promise<void> {
  await Deno.writeTextFile(
    `${directory}/.env`,
    `DT_ENDPOINT=${receiver.url}/api/v2/otlp\nDT_API_TOKEN=${TOKEN}\nINTERVAL=0.2\n`,
  );
  // The label finds containers that a command leaves behind.
  const docker = `#!/bin/sh
case "$1" in
  compose) shift; exec "$PODMAN_COMPOSE" "$@" ;;
  run) shift; exec "$PODMAN" run --label ${LABEL} "$@" ;;
  *) exec "$PODMAN" "$@" ;;
esac
`;
  await Deno.writeTextFile(`${directory}/docker`, docker, { mode: 0o755 });
  // Containers share the network of this machine here, where the name of a service means nothing by itself.
  const service = {
    network_mode: "host",
    extra_hosts: ["collector:127.0.0.1", "victoriametrics:127.0.0.1"],
  };
  await Deno.writeTextFile(
    `${directory}/host-network.yaml`,
    JSON.stringify({
      services: { "web-shop": service, collector: service, victoriametrics: service },
    }),
  );
}

function start(command: string, { directory, receiver, health }: World): Started {
  // Whole projects are built; everything else happens where the .env is.
  const isProject = /^docker (build|compose) /.test(command);
  const line = command
    .replace("https://ENV.live.dynatrace.com", receiver.url)
    .replaceAll(/\b(histogram-sender|otlp-histogram-spool)\b/g, `$1-${RUN}`)
    .replaceAll(/\b8080\b/g, String(health));
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${line}`],
    cwd: isProject ? ROOT : directory,
    env: {
      PATH: `${directory}:${Deno.env.get("PATH") ?? ""}`,
      DT_API_TOKEN: TOKEN,
      BUILDAH_ISOLATION: "chroot",
      COMPOSE_FILE: `compose.yaml:${directory}/host-network.yaml`,
      COMPOSE_PROJECT_NAME: `test-${RUN}`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), 120_000);
  const finished = child.output().then(({ code, stdout, stderr }) => {
    clearTimeout(limit);
    const [out = "", err = ""] = [stdout, stderr].map((it) => new TextDecoder().decode(it));
    return { code, output: out + err };
  });
  return { finished, stop: () => child.kill("SIGTERM") };
}

async function filesOf(name: string): Promise<ReadonlySet<string>> {
  const root = await podman("image", "mount", name);
  try {
    const { stdout } = await ran("find", [root, "-not", "-type", "d", "-printf", "/%P\n"]);
    return new Set(stdout.trimEnd().split("\n"));
  } finally {
    await podman("image", "umount", name);
  }
}

async function cleanUp(): Promise<void> {
  const command = tool("PODMAN");
  const { stdout: labelled } = await ran(command, ["ps", "-aq", "--filter", `label=${LABEL}`]);
  const { stdout: composed } = await ran(command, ["ps", "-aq", "--filter", `name=test-${RUN}`]);
  const left = `${labelled}\n${composed}`.split("\n").filter((id) => id !== "");
  // One after the other: at once, one on which another still depends would stay, and with it its ports.
  for (const id of left) await podman("rm", "-f", "--depend", "--ignore", "-t", "0", id);
  await ran(command, ["volume", "rm", "-f", `otlp-histogram-spool-${RUN}`]);
  await ran(command, ["volume", "rm", "-f", `test-${RUN}_storage`]);
}
