import { UsageError } from "../base/errors.ts";
import { readFileOf } from "../base/paths.ts";
import type { System } from "../base/system.ts";
import { readTokenFile } from "../config/token_file.ts";
import { invalid, type Setting, wholeSetting } from "../config/setting.ts";
import { choiceOf, type ReceiveFlags, settingOf, settingOrDefault } from "../config/settings.ts";
import { judgeOtlp } from "../otlp/rules.ts";
import { DEFAULT_LIMITS, DYNATRACE_LIMITS } from "./body.ts";
import { parseRespond } from "./script.ts";
import type { ReceiverOptions } from "./server.ts";

export type Output = "text" | "json";

/** Turns flags into options; throws a UsageError that names the flag, its value and what is right. */
export async function readOptions(
  flags: ReceiveFlags,
  system: System,
): Promise<{ readonly output: Output; readonly receiver: ReceiverOptions }> {
  const host = settingOrDefault("host", flags);
  if (host.value.trim() === "") throw invalid(host, "a host name or an IP address");
  const token = settingOf("demandedToken", flags);
  const requests = settingOf("requests", flags);
  const respond = settingOf("respond", flags);
  return {
    output: choiceOf("output", flags),
    receiver: {
      host: host.value.replace(/^\[(.*)\]$/, "$1"),
      port: wholeSetting(settingOrDefault("port", flags), 0, 65_535),
      tls: await readTls(settingOf("tlsCert", flags), settingOf("tlsKey", flags), system),
      token: token && await tokenReader(token, system),
      respond: respond === undefined ? [] : parseRespond(respond),
      requests: requests && wholeSetting(requests, 1),
      ...await readRules(choiceOf("rules", flags), system),
      clock: system.clock,
    },
  };
}

async function readRules(
  rules: "otlp" | "dynatrace",
  system: System,
): Promise<Pick<ReceiverOptions, "judge" | "limits">> {
  if (rules === "otlp") return { judge: judgeOtlp, limits: DEFAULT_LIMITS };
  const { judgeDynatrace } = await import("../dynatrace/judge.ts");
  return { judge: judgeDynatrace(() => system.clock.wall()), limits: DYNATRACE_LIMITS };
}

async function readTls(
  cert: Setting | undefined,
  key: Setting | undefined,
  system: System,
): Promise<ReceiverOptions["tls"]> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, other] = cert === undefined ? [key, "--tls-cert"] : [cert, "--tls-key"];
    throw new UsageError(
      `${given?.name} (${given?.source}) needs the other half of the pair: add ${other}`,
    );
  }
  return {
    cert: await readFileOf(`${cert.name} (${cert.source})`, cert.value, system),
    key: await readFileOf(`${key.name} (${key.source})`, key.value, system),
  };
}

async function tokenReader(setting: Setting, system: System): Promise<() => Promise<string>> {
  await readTokenFile(setting, system);
  // Again for every request, as a sender does: secrets are rotated.
  return () => readTokenFile(setting, system);
}
