import assert from "node:assert/strict";
import type { ReceivedRequest } from "./receiver.ts";
import { tool } from "./tools.ts";

/** A scope of a request with its metrics, as the official Python classes decode it. */
export interface OfficialScope {
  readonly resource: Readonly<Record<string, string>>;
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unit, attributes of the data points, and metadata, by the metric's name. */
  readonly metrics: Readonly<Record<string, readonly [string, readonly unknown[], unknown]>>;
}

const PYTHON = `
import base64, json, sys
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
def attributes(pairs):
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value"))) for pair in pairs}
scopes = []
for line in sys.stdin:
    for resource in ExportMetricsServiceRequest.FromString(base64.b64decode(line)).resource_metrics:
        for of in resource.scope_metrics:
            scopes.append({
                "resource": attributes(resource.resource.attributes),
                "name": of.scope.name, "version": of.scope.version, "schemaUrl": of.schema_url,
                "attributes": attributes(of.scope.attributes),
                "metrics": {metric.name: [metric.unit, [
                    attributes(point.attributes) for point in metric.histogram.data_points
                ], attributes(metric.metadata)] for metric in of.metrics},
            })
print(json.dumps(scopes))
`;

/** The scopes of requests, decoded by the Python that PREDECESSOR_PYTHON names. */
export async function officialScopes(
  requests: readonly Pick<ReceivedRequest, "content">[],
): Promise<readonly OfficialScope[]> {
  const child = new Deno.Command(tool("PREDECESSOR_PYTHON"), {
    args: ["-c", PYTHON],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = requests.map(({ content }) => `${content.toBase64()}\n`).join("");
  await new Blob([lines]).stream().pipeTo(child.stdin);
  const { code, stdout } = await child.output();
  assert.equal(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}
