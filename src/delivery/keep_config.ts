import {
  invalid,
  numberSetting,
  secondsOr0Setting,
  secondsSetting,
  type Setting,
  type Variables,
} from "../settings/setting.ts";
import { type SendFlags, settingOf, settingOrDefault } from "../settings/settings.ts";

/** How long one send goes on, and how much and how long unsent data is kept. */
export interface KeepConfig {
  readonly retryForMs: number;
  readonly spool: Setting | undefined;
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

/** Reads the settings of retries and unsent data; throws a UsageError for an invalid one. */
export function keepConfig(
  flags: Pick<SendFlags, "retryFor" | "spool" | "maxPendingMb" | "maxAge">,
  find: Variables,
): KeepConfig {
  const spool = settingOf("spool", flags, find);
  if (spool?.value.trim() === "") throw invalid(spool, "the path of a directory");
  const maxPending = settingOrDefault("maxPendingMb", flags);
  return {
    retryForMs: secondsOr0Setting(settingOrDefault("retryFor", flags)),
    spool,
    maxPendingBytes: numberSetting(
      maxPending,
      "a number of megabytes above 0, for example 64",
      (n) => n > 0 && n <= 1e6,
    ) * 1e6,
    maxAgeMs: secondsSetting(settingOrDefault("maxAge", flags)),
  };
}
