import assert from "node:assert/strict";
import {
  type Container,
  podOf,
  type PodSpec,
  type Resource,
  resource,
  type Variable,
} from "./kubernetes.ts";
import { BUSYBOX_IMAGE, podman, ran, RUN } from "./podman.ts";
import { freePort } from "./process.ts";
import { tool } from "./tools.ts";

/** Differences from the manifests, as a user would make them. */
export interface PodChanges {
  /** Images in place of those that cannot be pulled, by the beginning of their names. */
  readonly images: Readonly<Record<string, string>>;
  /** Entries of the ConfigMaps. */
  readonly config?: Readonly<Record<string, string>>;
  /** Entries of the Secret. */
  readonly secret?: Readonly<Record<string, string>>;
  /** Variables of each container that has them, or in addition. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: (args: readonly string[]) => readonly string[];
}

/** A Secret and one of its keys. */
interface SecretReference {
  readonly name: string;
  readonly key: string;
}

let pods = 0;

/**
 * Runs a workload's pod template with `podman play kube`, which knows no Job, CronJob or sidecar: the template becomes a
 * Pod, and a sidecar a container that is started before the others. The rest is done here because podman 4.3 reads
 * no `stringData`, mounts a Secret's data without decoding it, and makes no variables of it. With the host's network,
 * where the receivers are, it maps no ports: the health endpoints get a free one.
 */
export async function playPod(
  resources: readonly Resource[],
  workload: Resource,
  changes: PodChanges,
): Promise<Pod> {
  const spec = podOf(workload);
  assert.ok(spec, `${workload.kind} has no pod`);
  const id = `t${RUN}-${++pods}`;
  const health = freePort();
  const named = (name: string) => `${id}-${name}`;
  const secretValue = ({ name, key }: SecretReference) =>
    changes.secret?.[key] ?? resource(resources, "Secret", name).stringData?.[key] ?? "";
  const containers = [...spec.initContainers ?? [], ...spec.containers];
  const documents = [
    ...referenced(resources, spec, named, changes),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: id },
      spec: {
        ...spec,
        hostNetwork: true,
        initContainers: undefined,
        containers: containers.map((it) => adapted(it, health, named, secretValue, changes)),
        volumes: (spec.volumes ?? []).map((volume) => ({
          ...volume,
          name: named(volume.name),
          ...volume.configMap && { configMap: { name: named(volume.configMap.name) } },
          ...volume.secret && {
            secret: {
              ...volume.secret,
              optional: false,
              secretName: named(volume.secret.secretName),
            },
          },
          ...volume.persistentVolumeClaim && {
            persistentVolumeClaim: { claimName: named(volume.persistentVolumeClaim.claimName) },
          },
        })),
      },
    },
  ];
  const file = await Deno.makeTempFile({ prefix: "otlp-histogram-test-", suffix: ".yaml" });
  await Deno.writeTextFile(file, documents.map((it) => JSON.stringify(it)).join("\n---\n"));
  const pod = new Pod(id, file, spec, health);
  try {
    await podman("play", "kube", "--start=false", file);
    for (const { secret } of spec.volumes ?? []) {
      if (secret) await pod.writeSecret(secret.secretName, resources, changes.secret);
    }
    for (const { name } of containers) await podman("start", pod.container(name));
  } catch (thrown) {
    await pod[Symbol.asyncDispose]();
    throw thrown;
  }
  return pod;
}

/** The ConfigMaps and the Secret that the pod refers to, as the API server hands them out. */
function referenced(
  resources: readonly Resource[],
  spec: PodSpec,
  named: (name: string) => string,
  { config = {}, secret = {} }: PodChanges,
) {
  const text = JSON.stringify(spec);
  return resources.filter(({ kind, metadata: { name } }) =>
    (kind === "ConfigMap" || kind === "Secret") && text.includes(`"${name}"`)
  ).map(({ kind, metadata: { name }, data = {}, stringData = {} }) => ({
    apiVersion: "v1",
    kind,
    metadata: { name: named(name) },
    data: kind === "ConfigMap"
      ? { ...data, ...(name === "otlp-histogram-config" ? config : pick(data, config)) }
      : Object.fromEntries(
        Object.entries({ ...stringData, ...pick(stringData, secret) })
          .map(([key, value]) => [key, btoa(value)]),
      ),
  }));
}

/** Those of `values` that `keys` has too. */
function pick(keys: object, values: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key in keys));
}

function adapted(
  container: Container,
  health: number,
  named: (name: string) => string,
  valueOf: (reference: SecretReference) => string,
  { images, env = {}, args = (it) => it }: PodChanges,
) {
  const [, image] = Object.entries(images).find(([name]) => container.image.startsWith(name)) ?? [];
  assert.ok(image, `no image in place of ${container.image}`);
  const own: readonly Variable[] = container.env ?? [];
  return {
    ...container,
    image,
    imagePullPolicy: "Never",
    args: args(container.args ?? []),
    ports: undefined,
    // The test asks in their place.
    livenessProbe: undefined,
    readinessProbe: undefined,
    restartPolicy: undefined,
    envFrom: container.envFrom?.map(({ configMapRef: { name } }) => ({
      configMapRef: { name: named(name) },
    })),
    env: [
      ...own.filter(({ name }) => !(name in env)).map((variable) =>
        variable.name === "OTLP_HISTOGRAM_HEALTH"
          ? { name: variable.name, value: `0.0.0.0:${health}` }
          : variable.valueFrom?.secretKeyRef
          ? { name: variable.name, value: valueOf(variable.valueFrom.secretKeyRef) }
          : variable
      ),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ],
    volumeMounts: container.volumeMounts?.map((mount) => ({ ...mount, name: named(mount.name) })),
  };
}

/** A pod that podman runs; removed with its volumes when it is disposed of. */
export class Pod implements AsyncDisposable {
  readonly id: string;
  readonly #file: string;
  readonly #spec: PodSpec;
  readonly #health: number;

  constructor(id: string, file: string, spec: PodSpec, health: number) {
    this.id = id;
    this.#file = file;
    this.#spec = spec;
    this.#health = health;
  }

  get #grace(): number {
    return this.#spec.terminationGracePeriodSeconds ?? 30;
  }

  container(name: string): string {
    return `${this.id}-${name}`;
  }

  /** Asks one of the health endpoints, as a probe of the manifest does, until the answer has that status and text. */
  becomes(path: string, status: number, what = /^/): Promise<string> {
    return becomes(`http://127.0.0.1:${this.#health}${path}`, status, what);
  }

  /** Output of a container, once it contains `what`. */
  async logged(name: string, what: RegExp): Promise<string> {
    const limit = AbortSignal.timeout(60_000);
    for (;;) {
      const logs = await this.logs(name);
      if (what.test(logs)) return logs;
      limit.throwIfAborted();
    }
  }

  async logs(name: string): Promise<string> {
    const { stdout, stderr } = await ran(tool("PODMAN"), ["logs", this.container(name)]);
    return stdout + stderr;
  }

  /** The exit code of a container that ends by itself. */
  async ended(name: string): Promise<number> {
    return Number(await podman("wait", this.container(name)));
  }

  /** One field of what podman knows about a container. */
  async inspect(name: string, field: string): Promise<string> {
    return await podman("inspect", "-f", `{{${field}}}`, this.container(name));
  }

  /** Ends the pod as a cluster does; resolves to how long that took. */
  async stop(): Promise<number> {
    const start = performance.now();
    await podman("pod", "stop", "-t", String(this.#grace), this.id);
    return (performance.now() - start) / 1000;
  }

  /** Writes the files of a mounted Secret, as a cluster does when the Secret is created or replaced. */
  async writeSecret(
    name: string,
    resources: readonly Resource[],
    values: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { stringData = {} } = resource(resources, "Secret", name);
    const directory = await this.directory(name);
    for (const [key, value] of Object.entries({ ...stringData, ...pick(stringData, values) })) {
      await Deno.writeTextFile(`${directory}/${key}`, value);
    }
  }

  /**
   * Restarts a container as a cluster does: within its grace period, and without the others. podman stops a pod of `play
   * kube` when the last container ends, a moment after the restart at times, so another one stays while that lasts.
   */
  async restart(name: string): Promise<void> {
    const keeper = this.container("keeper");
    const stopAtOnce = ["--stop-signal", "KILL"];
    await podman(
      "run",
      "-d",
      "--pod",
      this.id,
      "--name",
      keeper,
      ...stopAtOnce,
      BUSYBOX_IMAGE,
      "sleep",
      "600",
    );
    await podman("restart", "-t", String(this.#grace), this.container(name));
  }

  /** Where the files of a Secret, or of a volume of the pod, are on this machine. */
  async directory(name: string): Promise<string> {
    return await podman("volume", "inspect", "-f", "{{.Mountpoint}}", `${this.id}-${name}`);
  }

  /** Memory that the kernel has counted for a container: its limit, its peak with the page cache, and without. */
  async memory(name: string): Promise<Memory> {
    const path = await this.inspect(name, ".State.CgroupPath");
    const pid = await this.inspect(name, ".State.Pid");
    const [limit, peak] = await cgroupFiles(path);
    const [, kilobytes = "0"] = /VmHWM:\s+(\d+) kB/.exec(
      await Deno.readTextFile(`/proc/${pid}/status`),
    ) ?? [];
    return { limit: Number(limit), peak: Number(peak), resident: Number(kilobytes) * 1024 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const command = tool("PODMAN");
    await ran(command, ["pod", "rm", "-f", "-t", "0", this.id]);
    await Deno.remove(this.#file);
    for (const kind of ["volume", "secret"]) {
      const { stdout } = await ran(command, [kind, "ls", "--format", "{{.Name}}"]);
      const names = stdout.split("\n").filter((name) => name.startsWith(`${this.id}-`));
      if (names.length > 0) await ran(command, [kind, "rm", ...names]);
    }
  }
}

export interface Memory {
  /** Bytes, as are the others. */
  readonly limit: number;
  readonly peak: number;
  readonly resident: number;
}

/** The limit and the peak of a control group, of version 2 or 1. */
async function cgroupFiles(path: string): Promise<readonly string[]> {
  const read = (files: readonly string[]) =>
    Promise.all(files.map((file) => Deno.readTextFile(file)));
  try {
    const directory = `/sys/fs/cgroup${path}`;
    return await read([`${directory}/memory.max`, `${directory}/memory.peak`]);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    const directory = `/sys/fs/cgroup/memory${path}`;
    return await read([
      `${directory}/memory.limit_in_bytes`,
      `${directory}/memory.max_usage_in_bytes`,
    ]);
  }
}

/** Asks until the answer has that status and text, 15 s at most. */
export async function becomes(url: string, status: number, what = /^/): Promise<string> {
  const limit = AbortSignal.timeout(60_000);
  for (;;) {
    limit.throwIfAborted();
    try {
      const answer = await fetch(url, { signal: limit });
      const text = await answer.text();
      if (answer.status === status && what.test(text)) return text;
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown; // not listening yet
    }
  }
}
