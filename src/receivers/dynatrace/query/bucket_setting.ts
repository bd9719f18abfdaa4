import { isObject } from "../../../platform/json_object.ts";
import type { BackendName, QueryRefusal, QueryTrouble } from "../../backend.ts";
import {
  objectsIn,
  type QueryClient,
  queryError,
  type QueryErrors,
} from "../../query/query_client.ts";

/** Setting of an environment that decides whether the buckets of histograms are stored. */
export interface BucketSetting {
  /** Where people find it. */
  readonly place: string;
  readonly schema: string;
  readonly property: string;
  /** Path of the Settings API on the host of queries. */
  readonly path: string;
  /** Scope of the token that reads it. */
  readonly scope: string;
  /** Value in an environment that never set it; undefined if no document says so. */
  readonly byDefault: "off" | undefined;
}

/** Settings that decide about buckets: of Grail, and of Managed and Classic ("Histogram metrics schema table"). */
export const BUCKET_SETTINGS = {
  grail: {
    place:
      "Settings > Process and contextualize > OpenTelemetry metrics > Advanced OTLP metric dimensions",
    schema: "builtin:opentelemetry-metrics",
    property: "enableMintV2Ingest",
    path: "/platform/classic/environment-api/v2/settings/objects",
    scope: "settings:objects:read",
    byDefault: undefined,
  },
  "metrics-v2": {
    place: 'Settings > Metrics > Histograms > "Ingest complete explicit bucket histograms"',
    schema: "builtin:histogram-metrics",
    property: "enableHistogramBucketIngest",
    path: "/api/v2/settings/objects",
    scope: "settings.read",
    byDefault: "off",
  },
} as const satisfies Partial<Record<BackendName, BucketSetting>>;

/** State of a setting. */
export type BucketSettingState =
  | { readonly kind: "on" | "off" }
  /** The environment holds no value of it. */
  | { readonly kind: "unset" }
  /** The environment has no such setting. */
  | { readonly kind: "gone" }
  | { readonly kind: "unreadable"; readonly why: QueryTrouble | QueryRefusal };

/** Reads a setting through the Settings API. */
export async function readBucketSetting(
  { schema, property, path, scope }: BucketSetting,
  client: QueryClient,
  now: number,
  signal: AbortSignal,
): Promise<BucketSettingState> {
  const answer = await client.ask({
    method: "GET",
    path,
    parameters: { schemaIds: schema, scopes: "environment", fields: "value" },
  }, signal);
  if (answer.kind !== "answer") return { kind: "unreadable", why: answer };
  const { status, json } = answer;
  // Another server's 404 is not an object of JSON with an error.
  if (status === 404 && isObject(json["error"])) return { kind: "gone" };
  if (status !== 200) {
    return { kind: "unreadable", why: queryError(answer, client, errorsOf(scope), now) };
  }
  if (!Array.isArray(json["items"])) return { kind: "unreadable", why: notSettings(client) };
  const [object] = objectsIn(json["items"]);
  const value = isObject(object?.["value"]) ? object["value"][property] : undefined;
  return typeof value === "boolean" ? { kind: value ? "on" : "off" } : { kind: "unset" };
}

function errorsOf(scope: string): QueryErrors {
  return {
    message: ({ error }) => isObject(error) ? String(error["message"] ?? "") : "",
    remedy: (status) =>
      status === 401 || status === 403 ? `give the query token the scope ${scope}` : undefined,
  };
}

function notSettings({ endpoint }: QueryClient): QueryRefusal {
  return {
    kind: "refused",
    message: "200, with JSON that is not a response of the Settings API",
    hint: `check the URL ${endpoint.shown}, or name another --backend`,
  };
}
