import assert from "node:assert/strict";
import { relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { inDirectory } from "./directory.ts";
import { tool } from "./tools.ts";

/** One resource as kustomize renders it; the parts that tests look at. */
export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: WorkloadSpec & { readonly jobTemplate?: { readonly spec: WorkloadSpec } };
}

interface WorkloadSpec {
  readonly completions?: number;
  readonly minReadySeconds?: number;
  readonly template?: { readonly spec: PodSpec };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number };
  readonly failureThreshold?: number;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
  readonly emptyDir?: Readonly<Record<string, unknown>>;
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export const K8S = new URL("../../k8s", import.meta.url).pathname;

/** The names of what is below a directory of k8s/. */
export function namesIn(directory: "overlays" | "components"): readonly string[] {
  return [...Deno.readDirSync(`${K8S}/${directory}`)].map(({ name }) => name).sort();
}

/** Resources that kustomize makes of `base` or `overlays/NAME` with these components. */
export async function rendered(
  target: string,
  components: readonly string[] = [],
): Promise<readonly Resource[]> {
  return await inDirectory(async (directory) => {
    const root = await Deno.realPath(directory);
    const path = (name: string) => relative(root, `${K8S}/${name}`);
    await Deno.writeTextFile(
      `${root}/kustomization.yaml`,
      JSON.stringify({
        apiVersion: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: [path(target)],
        components: components.map((name) => path(`components/${name}`)),
      }),
    );
    return await build(root);
  });
}

/** Resources that kustomize makes of a directory. */
export async function build(directory: string): Promise<readonly Resource[]> {
  const { code, stdout, stderr } = await new Deno.Command(tool("KUSTOMIZE"), {
    args: ["build", directory],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return parseAllDocuments(new TextDecoder().decode(stdout)).map((it): Resource => it.toJS());
}

/** The pod of a workload: of a Deployment, a Job or a CronJob. */
export function podOf({ spec }: Resource): PodSpec | undefined {
  return spec?.template?.spec ?? spec?.jobTemplate?.spec.template?.spec;
}

/** The resource of that kind and name, without the hash that kustomize adds to a generated one. */
export function resource(resources: readonly Resource[], kind: string, name: string): Resource {
  const found =
    resources.find((it) =>
      it.kind === kind && it.metadata.name.replace(/-[0-9a-z]{10}$/, "") === name
    ) ?? resources.find((it) => it.kind === kind && it.metadata.name === name);
  assert.ok(found, `there is no ${kind} ${name}`);
  return found;
}
