import { invalid, type Setting, type Variables } from "./setting.ts";
import { type SendFlags, settingOf } from "./settings.ts";

/** Address that serves probes and metrics. */
export interface HealthConfig {
  readonly hostname: string;
  readonly port: number;
  readonly setting: Setting;
}

/** Reads the address for probes and metrics; undefined serves none. Throws a UsageError for anything but HOST:PORT. */
export function healthConfig(flags: SendFlags, find: Variables): HealthConfig | undefined {
  const setting = settingOf("health", flags, find);
  if (setting === undefined) return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/i.exec(
    setting.value.trim(),
  ) ?? [];
  const hostname = bracketed ?? plain;
  const port = Number(digits);
  if (hostname === undefined || port > 65_535) {
    throw invalid(setting, "HOST:PORT to listen on, for example 127.0.0.1:8080 or 0.0.0.0:8080");
  }
  return { hostname, port, setting };
}
