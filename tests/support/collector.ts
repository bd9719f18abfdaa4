import { Process } from "./process.ts";
import { tool } from "./tools.ts";

/** Starts a Collector with that configuration, in YAML, and waits until it is ready; disposing of it lets it flush. */
export async function startCollector(
  configuration: string,
  program: "OTELCOL" | "OTELCOL_CONTRIB" | "OTELCOL_FILTER" = "OTELCOL_CONTRIB",
): Promise<Process> {
  const collector = new Process(tool(program), ["--config", `yaml:${configuration}`]);
  await collector.logged(/Everything is ready/, 30_000);
  return collector;
}

/**
 * Writes the configuration of a Collector that passes the metrics which come by OTLP over HTTP through processors to an
 * exporter. The settings are in YAML, in one line.
 */
export function collectorYaml(
  port: number,
  exporter: string,
  settings: string,
  processors: Readonly<Record<string, string>> = {},
): string {
  return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
processors: {${Object.entries(processors).map(([name, yaml]) => `${name}: ${yaml}`).join(", ")}}
exporters: {${exporter}: ${settings}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [${Object.keys(processors).join(", ")}]
      exporters: [${exporter}]
`;
}
