import { type SendConfig, sendConfig } from "../send_config.ts";
import { type CheckFlags, settingOf } from "../../settings/settings.ts";
import { conventionsFor } from "../../aggregate/metric_config.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { readCredentials } from "../../http/credentials.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { isDynatraceBackend } from "../../receivers/backend.ts";
import type { Finding } from "../../receivers/finding.ts";
import { deltaHints } from "../../receivers/otlp/delta_hints.ts";
import { endpointFindings, RECEIVERS } from "../../receivers/profiles.ts";
import {
  addQuerySecrets,
  followingQuery,
  type QueryConfig,
} from "../../receivers/query/query_config.ts";
import { UsageError } from "../../platform/errors.ts";
import { otherGroups } from "../../platform/older_deno.ts";
import type { System } from "../../platform/system.ts";
import { resolvePath } from "../../platform/paths.ts";
import type { Credentials } from "../../http/exchange.ts";
import { failedStep, passedStep, type Step, withFacts } from "./step.ts";

/** Step `config`, with the settings for the other steps when it went well. */
export interface Configured {
  readonly step: Step;
  readonly settings?: CheckSettings;
}

/** Settings that passed the step `config`. */
export interface CheckSettings {
  readonly config: SendConfig;
  readonly credentials: Credentials;
  /** Query API that may tell whether buckets are stored; undefined if none can be asked. */
  readonly query: QueryConfig | undefined;
}

/** Reads the settings and reports them with their origins. */
export async function checkConfig(
  flags: CheckFlags,
  system: Pick<System, "env" | "cwd" | "readTextFile" | "secrets" | "stop">,
): Promise<Configured> {
  try {
    const variables = await readVariables(flags.envFile, system);
    addKnownSecrets(system.secrets, flags, variables, system.env);
    addQuerySecrets(system.secrets, flags, variables);
    const config = sendConfig(flags, variables, system.env, await conventionsFor(flags));
    const credentials = await readCredentials(config.destination, RECEIVERS.tokens, system);
    const { endpoint } = config.destination;
    const query = followingQuery(flags, variables, system.env, config.destination);
    const findings = await endpointFindings(endpoint, "any-host");
    const hints = [
      ...config.warnings,
      ...findings.filter(({ level }) => level === "warning").map(findingHint),
      ...deltaHints(endpoint.url),
      ...await tokenHints(config, credentials, system),
    ];
    const fatal = findings.find(({ level }) => level === "error");
    if (fatal !== undefined) {
      return { step: failedStep(fatal.message, fatal.remedy, ...hints) };
    }
    const step = await describeSettings(config, credentials, hints);
    const isNamed = settingOf("queryUrl", flags, variables) !== undefined;
    const usable = query !== undefined && canReadSettings(query, isNamed) ? query : undefined;
    return { step, settings: { config, credentials, query: usable } };
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    const [detail = "", ...more] = system.secrets.hideQuoted(thrown.message).split("\n").map((
      line,
    ) => line.trim());
    return { step: failedStep(detail, ...more) };
  }
}

/**
 * Tells whether a query API may show settings: not without credentials, unless the user has named the API. The
 * endpoint's own token is never for Grail, which is on another host.
 */
function canReadSettings({ backend, authorization: { kind } }: QueryConfig, isNamed: boolean) {
  if (!isDynatraceBackend(backend) || (backend === "grail" && kind === "endpoint")) return false;
  return kind !== "none" || isNamed;
}

/** Describes the settings and their sources; of a token only its public part. */
async function describeSettings(
  { destination }: SendConfig,
  credentials: Credentials,
  hints: readonly string[],
): Promise<Step> {
  const { endpoint, headers, tls, compression, timeoutMs } = destination;
  const { name, source } = endpoint.setting;
  const joined = (...parts: readonly string[]) => parts.filter((part) => part !== "").join("; ");
  const words = joined(
    await describeAuthorization(destination, credentials),
    headers.length === 0 ? "" : `headers ${headers.map(([header]) => header).join(", ")}`,
    tls.ca === undefined ? "" : `CA ${tls.ca.value} (${tls.ca.name})`,
    tls.client === undefined ? "" : `client certificate ${tls.client.cert.value}`,
    tls.insecure ? "certificates not verified" : "",
    compression === "gzip" ? "gzip" : "no compression",
  );
  const text = joined(
    `${endpoint.shown} (${name}, ${source})`,
    endpoint.proxy === undefined ? "" : `proxy ${endpoint.proxy.shown}`,
    words,
    `timeout ${timeoutMs / 1000} s`,
  );
  const facts = {
    url: endpoint.shown,
    setting: name,
    source,
    proxy: endpoint.proxy?.shown ?? null,
    timeoutMs,
  };
  return withFacts(passedStep(`${name} (${source}); ${words}`, ...hints), facts, text);
}

async function describeAuthorization(
  { authorization }: SendConfig["destination"],
  credentials: Credentials,
): Promise<string> {
  if (authorization.kind === "none") return "no token";
  const token = RECEIVERS.tokens.redacted(await credentials.authorization() ?? "");
  if (token === undefined) return `Authorization from ${authorization.from} (not shown)`;
  const from = authorization.kind === "token-file"
    ? `file ${authorization.path}, ${authorization.from}`
    : authorization.from;
  return `token ${token} (${from})`;
}

function findingHint({ message, remedy }: Finding): string {
  return `${message}; ${remedy}`;
}

async function tokenHints(
  { destination: { endpoint, authorization } }: SendConfig,
  credentials: Credentials,
  { cwd }: Pick<System, "cwd">,
): Promise<readonly string[]> {
  const hints: string[] = [];
  const value = await credentials.authorization();
  if (value !== undefined && authorization.kind !== "none") {
    hints.push(
      ...(await endpoint.profile.inspectToken(value, authorization.from)).map(findingHint),
    );
  }
  if (authorization.kind === "token-file") {
    const file = await Deno.stat(resolvePath(cwd, authorization.path));
    const { mode } = file;
    // Windows has no such mode.
    if (mode !== null && (mode & 0o077) !== 0 && !await isForOwnGroup(file)) {
      const octal = (mode & 0o777).toString(8);
      hints.push(
        `other users can read or write the token file ${authorization.path} (mode ${octal}): run chmod 600; in ` +
          "Kubernetes, set the volume's defaultMode to 0440",
      );
    }
  }
  return hints;
}

/**
 * Tells whether nobody but its owner and a group of this process may read a file: Kubernetes mounts
 * a secret as root's, with the pod's fsGroup and 0440, or 0640 for a defaultMode of 0600.
 */
async function isForOwnGroup({ mode, uid, gid }: Deno.FileInfo): Promise<boolean> {
  if (mode === null || gid === null || (mode & 0o077) !== 0o040) return false;
  const user = Deno.uid();
  // All that let somebody else read it is the group.
  if (uid !== user && user !== 0) return true;
  // This user can close it.
  if ((mode & 0o200) !== 0) return false;
  return gid === Deno.gid() || (await otherGroups()).includes(gid);
}
