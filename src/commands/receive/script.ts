import { invalid, type Setting } from "../../settings/setting.ts";

/** Scripted response: judged as usual, none at all, or a status regardless of the data. */
export type Scripted =
  | { readonly kind: "judge" }
  | { readonly kind: "hang" }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter: number | undefined };

/** Parses `503,429:2,hang,200`; throws a UsageError that quotes the invalid item. */
export function parseRespond(list: Setting): Scripted[] {
  return list.value.split(",").map((item) => parseItem({ ...list, value: item.trim() }));
}

function parseItem(setting: Setting): Scripted {
  const item = setting.value;
  if (item === "hang") return { kind: "hang" };
  const [, status, retryAfter] = /^([2-5]\d\d)(?::(\d{1,9}))?$/.exec(item) ?? [];
  if (status === undefined || (status === "200" && retryAfter !== undefined)) {
    throw invalid(
      setting,
      "a status from 200 to 599, a status above 200 with its Retry-After in seconds (429:2), or " +
        "hang, separated by commas",
    );
  }
  if (status === "200") return { kind: "judge" };
  return {
    kind: "status",
    status: Number(status),
    retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
  };
}
