/** Program whose blocks of commands no test runs, and why. */
export interface ProgramNotRun {
  readonly program: string;
  readonly reason: string;
}

/** Block of commands that no test runs, and why. */
export interface BlockNotRun {
  readonly page: string;
  /** A text that only this block of the page has. */
  readonly has: string;
  readonly reason: string;
}

const CONTAINER = "it requires a container engine and images of a registry";
const CLUSTER = "it requires a Kubernetes cluster";
const RELEASE = "it requires a published release";
const INSTALLS = "it installs a program on the machine";

/** Programs that a block cannot run in a test. */
export const PROGRAMS_NOT_RUN: readonly ProgramNotRun[] = [
  { program: "docker", reason: CONTAINER },
  { program: "podman", reason: CONTAINER },
  { program: "kubectl", reason: CLUSTER },
  { program: "helm", reason: CLUSTER },
  { program: "gh", reason: RELEASE },
  { program: "curl -fL", reason: RELEASE },
  { program: "brew", reason: INSTALLS },
  { program: "scoop", reason: INSTALLS },
  { program: "sudo", reason: INSTALLS },
  { program: "npx -y otlp-histogram", reason: RELEASE },
  { program: "deno install", reason: INSTALLS },
  { program: "git clone", reason: "it requires the network" },
];

/** Further blocks that cannot run in a test. */
export const BLOCKS_NOT_RUN: readonly BlockNotRun[] = [
  {
    page: "docs/verify.md",
    has: "$ otlp-histogram verify --endpoint http://localhost:8428/opentelemetry",
    reason: "it requires VictoriaMetrics: tests/long/verify_prometheus_test.ts runs it",
  },
  {
    page: "docs/load.md",
    has: "$ otlp-histogram --series 1000 --point-rate 100..10000",
    reason: "its lines depend on the receiver: tests/long/capacity_test.ts runs such loads",
  },
];
