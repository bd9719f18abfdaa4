import assert from "node:assert/strict";
import { atLeastOne, each } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import {
  build,
  type Container,
  K8S,
  namesIn,
  podOf,
  type PodSpec,
  rendered,
  type Resource,
} from "../support/kubernetes.ts";
import { missing } from "../support/tools.ts";

// Tests of what each combination of an overlay and components gives to a container. All of them are validated by
// scripts/lint-kubernetes.sh.

const PROGRAM = "ghcr.io/ihudak/otlp_histogram:";
const COLLECTOR = "otel/opentelemetry-collector-contrib:";
const TARGETS = ["base", ...namesIn("overlays").map((name) => `overlays/${name}`)];

/** A container with what its pod and the ConfigMaps give it. */
interface Equipped {
  readonly container: Container;
  readonly pod: PodSpec;
  readonly environment: ReadonlyMap<string, string>;
}

/** The containers that talk to the receiver. */
function senders(resources: readonly Resource[]): readonly Equipped[] {
  return atLeastOne(
    resources.flatMap((workload) => {
      const pod = podOf(workload);
      if (pod === undefined) return [];
      return [...pod.initContainers ?? [], ...pod.containers]
        .filter(({ image }) => image.startsWith(PROGRAM) || image.startsWith(COLLECTOR))
        .map((container) => ({ container, pod, environment: environment(container, resources) }));
    }),
  );
}

function environment(container: Container, resources: readonly Resource[]) {
  const config = (container.envFrom ?? []).flatMap(({ configMapRef: { name } }) =>
    Object.entries(resources.find(({ metadata }) => metadata.name === name)?.data ?? {})
  );
  const own = (container.env ?? []).map(({ name, value = "" }): [string, string] => [name, value]);
  return new Map([...config, ...own]);
}

/** The file of a ConfigMap or Secret that a container sees under that path; undefined when there is none. */
function fileAt(path: string, { container, pod }: Equipped, resources: readonly Resource[]) {
  const directory = path.slice(0, path.lastIndexOf("/"));
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === directory);
  const volume = pod.volumes?.find(({ name }) => name === mount?.name);
  const name = volume?.configMap?.name ?? volume?.secret?.secretName;
  const key = path.slice(directory.length + 1);
  const { data, stringData } = resources.find(({ metadata }) => metadata.name === name) ?? {};
  const item = volume?.secret?.items?.find((it) => it.path === key);
  if (volume?.secret?.items !== undefined && item === undefined) return undefined;
  return (data ?? stringData)?.[item?.key ?? key];
}

if (missing("KUSTOMIZE") !== undefined) {
  // Not a skip: it is a stage of its own.
  console.log("manifests: no tests without KUSTOMIZE, the path of kustomize");
} else {
  each(
    TARGETS,
    (target) => `the component custom-ca reaches each sender of ${target}`,
    async (target) => {
      const resources = await rendered(target, ["custom-ca"]);
      for (const sender of senders(resources)) {
        const path = sender.environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE");
        assert.ok(path, sender.container.name);
        assert.match(fileAt(path, sender, resources) ?? "", /certificate of your CA/);
      }
    },
  );

  each(
    TARGETS,
    (target) => `the component proxy reaches each sender of ${target}`,
    async (target) => {
      for (const { environment } of senders(await rendered(target, ["proxy"]))) {
        assert.equal(environment.get("HTTPS_PROXY"), "http://proxy.example.com:3128");
        assert.match(environment.get("NO_PROXY") ?? "", /(^|,)otel-collector(,|$)/);
      }
    },
  );

  each(
    TARGETS,
    (target) => `the component self-signed reaches each sender of ${target}`,
    async (target) => {
      for (const { environment } of senders(await rendered(target, ["self-signed"]))) {
        assert.equal(environment.get("INSECURE_SSL"), "true");
      }
    },
  );

  each(TARGETS, (target) => `${target} needs no component`, async (target) => {
    const resources = await rendered(target);
    for (const { environment } of senders(resources)) {
      assert.equal(environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE"), undefined);
      assert.equal(environment.get("HTTPS_PROXY"), undefined);
      assert.equal(environment.get("INSECURE_SSL"), "false");
    }
    assert.ok(!resources.some(({ metadata }) => metadata.name.startsWith("otlp-histogram-ca")));
  });

  each(TARGETS, (target) => `${target} runs with the least that it needs`, async (target) => {
    for (const { container, pod } of senders(await rendered(target))) {
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      assert.equal(pod.securityContext?.["runAsNonRoot"], true);
      if (container.image.startsWith(PROGRAM)) {
        assert.equal(container.resources?.limits?.["memory"], "128Mi");
      }
    }
  });

  each(
    TARGETS,
    (target) => `${target} hands over tokens as files of the Secret`,
    async (target) => {
      const resources = await rendered(target);
      for (const sender of senders(resources)) {
        const files = [...sender.environment].filter(([name]) => /^DT_\w+_TOKEN_FILE$/.test(name));
        for (const [, path] of files) {
          assert.match(fileAt(path, sender, resources) ?? "", /^<replace this with a token/);
        }
        const names = files.map(([name]) => name);
        if (target === "overlays/verify") {
          assert.deepEqual(names, ["DT_API_TOKEN_FILE", "DT_QUERY_TOKEN_FILE"]);
        } else if (target !== "overlays/collector") assert.deepEqual(names, ["DT_API_TOKEN_FILE"]);
      }
    },
  );

  Deno.test("the combination that the README shows can be applied as it stands", async () => {
    const readme = await Deno.readTextFile(`${K8S}/README.md`);
    const [, example] = /^## Combine [^]*?^```yaml\n([^]*?)^```$/m.exec(readme) ?? [];
    assert.ok(example !== undefined);
    await inDirectory(async (directory) => {
      const { success } = await new Deno.Command("cp", { args: ["-r", K8S, directory] }).output();
      assert.ok(success);
      await Deno.writeTextFile(`${directory}/k8s/kustomization.yaml`, example);
      const resources = await build(`${directory}/k8s`);
      const kinds = resources.map(({ kind }) => kind).sort();
      assert.deepEqual(kinds, ["ConfigMap", "ConfigMap", "Job", "Namespace", "Secret"]);
    });
  });

  Deno.test("an update waits longer than the first send can take", async () => {
    const [sender] = (await rendered("base")).filter(({ kind }) => kind === "Deployment");
    const probe = sender && podOf(sender)?.containers[0]?.readinessProbe;
    assert.equal(probe?.failureThreshold, 1);
    // Retries, the request that is under way then, and the time between two probes.
    assert.ok((sender?.spec?.minReadySeconds ?? 0) > 30 + 10 + 10);
  });
}
