import { UsageError } from "../../platform/errors.ts";
import { readFileOf, resolvePath } from "../../platform/paths.ts";
import type { System } from "../../platform/system.ts";
import { withoutBrackets } from "../../http/target.ts";
import { readTokenFile } from "../../http/token_file.ts";
import {
  choiceSetting,
  halfOfPair,
  invalid,
  numberSetting,
  secondsSetting,
  type Setting,
  wholeSetting,
} from "../../settings/setting.ts";
import {
  choiceOf,
  type ReceiveFlags,
  settingOf,
  settingOrDefault,
  settingsOf,
} from "../../settings/settings.ts";
import { SETTINGS } from "../../settings/settings_table.ts";
import { PROFILES, RECEIVERS } from "../../receivers/profiles.ts";
import { limitsFor } from "./body.ts";
import { Exam } from "./exam.ts";
import { parseRespond } from "./script.ts";
import { parseExpectation } from "./expectation.ts";
import type { GateOptions } from "./gate.ts";
import { readIgnoredRules } from "./ignored_rules.ts";
import type { SaveOptions } from "./save_file.ts";
import type { ReceiverOptions } from "./server.ts";

/** Options of a run of `receive`. */
export interface ReceiveOptions {
  readonly output: "text" | "json";
  /** Rules that requests are judged by, as `--rules` names them. */
  readonly rules: string;
  readonly receiver: ReceiverOptions;
  /** Whether to serve the page at `/`. */
  readonly ui: boolean;
  readonly save: SaveOptions | undefined;
  readonly gate: GateOptions;
  /** Absolute path of the file that `--junit` names. */
  readonly junit: string | undefined;
  /** Time after which the run ends. */
  readonly waitMs: number | undefined;
  /** Whether to print problems as GitHub's annotations too. */
  readonly annotate: boolean;
  /** Path of the step summary of GitHub Actions. */
  readonly stepSummary: string | undefined;
}

/** Turns flags into options, or throws a UsageError. */
export async function readOptions(
  flags: ReceiveFlags,
  system: System,
): Promise<Omit<ReceiveOptions, "annotate" | "stepSummary">> {
  const host = settingOrDefault("host", flags);
  if (host.value.trim() === "") throw invalid(host, "a host name or an IP address");
  const token = settingOf("demandedToken", flags);
  const requests = settingOf("requests", flags);
  const respond = settingOf("respond", flags);
  if (flags.exam && respond !== undefined) {
    throw new UsageError(
      "--exam and --respond cannot be used together: remove one of them",
    );
  }
  const wait = settingOf("wait", flags);
  const rules = choiceOf("rules", flags);
  const profile = PROFILES[rules];
  const ignore = await readIgnoredRules(settingsOf("ignore", flags), profile, rules);
  return {
    rules,
    output: choiceOf("output", flags),
    ui: flags.ui ?? false,
    save: readSave(flags, system),
    gate: readGate(flags, ignore),
    junit: readJUnit(flags, system),
    waitMs: wait && secondsSetting(wait),
    receiver: {
      host: withoutBrackets(host.value),
      port: wholeSetting(settingOrDefault("port", flags), 0, 65_535),
      tls: await readTls(settingOf("tlsCert", flags), settingOf("tlsKey", flags), system),
      token: token && await tokenReader(token, system),
      respond: respond === undefined ? [] : parseRespond(respond),
      exam: flags.exam ? new Exam(system.clock) : undefined,
      requests: requests && wholeSetting(requests, 1),
      judge: await profile.judge(() => system.clock.wall()),
      limits: limitsFor(profile.body),
      clock: system.clock,
      printed: system.printed,
    },
  };
}

function readSave(flags: ReceiveFlags, system: System): SaveOptions | undefined {
  const save = settingOf("save", flags);
  const most = settingOrDefault("saveMb", flags);
  const mostBytes = numberSetting(
    most,
    "a number of megabytes above 0, for example 100",
    (n) => n > 0 && n <= 1e6,
  ) * 1e6;
  if (save === undefined) {
    if (flags.saveMb === undefined) return undefined;
    throw new UsageError("--save-mb limits the file of --save: add --save FILE, or remove it");
  }
  if (save.value.trim() === "") throw invalid(save, "the path of a file");
  return { path: resolvePath(system.cwd, save.value), mostBytes };
}

function readGate(flags: ReceiveFlags, ignore: GateOptions["ignore"]): GateOptions {
  const failOn = settingOf("failOn", flags);
  return {
    failOn: failOn && choiceSetting(failOn, SETTINGS.failOn.choices),
    expect: settingsOf("expect", flags).map(parseExpectation),
    ignore,
  };
}

function readJUnit(flags: ReceiveFlags, system: System): string | undefined {
  const junit = settingOf("junit", flags);
  if (junit === undefined) return undefined;
  if (junit.value.trim() === "") throw invalid(junit, "the path of a file");
  return resolvePath(system.cwd, junit.value);
}

async function readTls(
  cert: Setting | undefined,
  key: Setting | undefined,
  system: System,
): Promise<ReceiverOptions["tls"]> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw halfOfPair(cert ?? key, cert === undefined ? "--tls-cert" : "--tls-key");
  }
  return {
    cert: await readFileOf(`${cert.name} (${cert.source})`, cert.value, system),
    key: await readFileOf(`${key.name} (${key.source})`, key.value, system),
  };
}

async function tokenReader(setting: Setting, system: System): Promise<() => Promise<string>> {
  const read = async () => {
    const value = await readTokenFile(setting, RECEIVERS.tokens, system);
    // The names and attributes of a client are drawn.
    system.secrets.addHeader("Authorization", value);
    return value;
  };
  await read();
  // Again for every request, as a sender does: secrets are rotated.
  return read;
}
