import type { AskedRequest } from "./fake_dynatrace.ts";
import { failure } from "./fake_grail.ts";

/** State of a setting; "unset": the environment holds no value, "gone": it has no such setting. */
export type SettingMode = boolean | "unset" | "gone" | "forbidden";

/** A setting of a fake environment. */
export interface FakeSetting {
  readonly schema: string;
  readonly property: string;
  readonly mode: SettingMode;
  /** Scope that reads it. */
  readonly scope: string;
}

/** The answer of the Settings API to a request for the objects of a schema. */
export function settingsAnswer(
  { method, url }: Pick<AskedRequest, "method" | "url">,
  { schema, property, mode, scope }: FakeSetting,
): Response {
  const asked = url.searchParams;
  if (method !== "GET" || asked.get("scopes") !== "environment") {
    return failure(400, { message: "Constraints violated." }); // inferred
  }
  if (mode === "forbidden") {
    return failure(403, { message: `Token is missing required scope. Use one of: ${scope}` }); // observed
  }
  if (mode === "gone" || asked.get("schemaIds") !== schema) {
    return failure(404, { message: `The schema ${asked.get("schemaIds")} was not found.` }); // observed: the status
  }
  const value = { [property]: mode }; // documented: the schema and the property
  const item = asked.get("fields") === "value"
    ? { value }
    : { objectId: "vu9U3hXa3q0AAAAB", value };
  const items = mode === "unset" ? [] : [item]; // inferred: no objects where nothing was set
  return Response.json({ items, totalCount: items.length, pageSize: 100 }); // documented
}
