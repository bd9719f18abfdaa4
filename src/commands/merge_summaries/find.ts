import { isObject, type JsonObject, parseJson } from "../../platform/json_object.ts";

/** Summary in a line of a log, or the reason why one is there that cannot be read. */
export type Found =
  | { readonly kind: "summary"; readonly object: JsonObject }
  | { readonly kind: "cut" };

const START = /\{\s*"type"\s*:\s*"summary"/g;

/**
 * Finds the summaries in a line, wherever they stand in it: a prefix comes before them in the logs of several
 * containers, and other output may share the line.
 */
export function findSummaries(line: string): readonly Found[] {
  if (!line.includes("summary")) return [];
  const found: Found[] = [];
  START.lastIndex = 0;
  for (let match = START.exec(line); match !== null; match = START.exec(line)) {
    const end = endOfObject(line, match.index);
    const object = end === undefined ? undefined : toObject(line.slice(match.index, end));
    found.push(object === undefined ? { kind: "cut" } : { kind: "summary", object });
    if (object !== undefined && end !== undefined) START.lastIndex = end;
  }
  return found.length > 0 ? found : foundInObject(toObject(line.slice(line.indexOf("{"))));
}

/** Finds a summary with its keys in another order, or as a text in an object: the form of Docker's json-file logs. */
function foundInObject(object: JsonObject | undefined): readonly Found[] {
  if (object === undefined) return [];
  if (object["type"] === "summary") return [{ kind: "summary", object }];
  const { log } = object;
  return typeof log === "string" ? findSummaries(log) : [];
}

/** Returns the index after the object that begins at `from`; undefined if it does not end. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0;
  let isInString = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === "\\") at++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at + 1;
  }
  return undefined;
}

function toObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}
