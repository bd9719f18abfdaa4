/** Object of JSON: values by key. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON text; undefined, which no JSON means, when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value of JSON counts something: a whole number, 0 or more, that a double holds exactly. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Finds the field of that name, or else, where the name has dots, the one at that path. */
export function fieldOf(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const dot = name.indexOf(".");
  const inner = dot < 0 ? undefined : fieldOf(object, name.slice(0, dot));
  return isObject(inner) ? fieldOf(inner, name.slice(dot + 1)) : undefined;
}
