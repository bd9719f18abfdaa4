import type { Credentials } from "../../http/exchange.ts";
import { UsageError } from "../../platform/errors.ts";
import {
  BUCKET_SETTINGS,
  type BucketSetting,
  type BucketSettingState,
  readBucketSetting,
} from "../../receivers/dynatrace/query/bucket_setting.ts";
import {
  openQueryClient,
  type QueryRoute,
  type QuerySystem,
} from "../../receivers/query/open_query_client.ts";
import { isDynatraceBackend } from "../../receivers/backend.ts";
import { bearerProblem, type QueryConfig } from "../../receivers/query/query_config.ts";
import { type Step, withFacts } from "./step.ts";

/** Adds to a step whether the environment stores the buckets of histograms. The step's outcome stays the same. */
export async function withBucketSetting(
  step: Step,
  query: QueryConfig,
  destination: QueryRoute,
  credentials: Credentials,
  system: QuerySystem,
): Promise<Step> {
  if (!isDynatraceBackend(query.backend)) return step;
  const setting = BUCKET_SETTINGS[query.backend];
  const state = await settingState(setting, query, destination, credentials, system);
  // The endpoint's own token is for sending: nobody expects that it may read settings.
  const isOwnToken = query.authorization.kind === "endpoint";
  if (isOwnToken && (state.kind === "unreadable" || state.kind === "gone")) return step;
  const { detail, hint } = wordsFor(setting, state);
  const added: Step = {
    ...step,
    detail: detail === undefined ? step.detail : `${step.detail}; ${detail}`,
    hint: [step.hint, hint].filter((line) => line !== null && line !== undefined).join("\n") ||
      null,
  };
  const text = detail === undefined ? step.text : `${step.text}; ${detail}`;
  return withFacts(added, { ...step.facts, histogramBuckets: state.kind }, text);
}

async function settingState(
  setting: BucketSetting,
  query: QueryConfig,
  destination: QueryRoute,
  credentials: Credentials,
  system: QuerySystem,
): Promise<BucketSettingState> {
  const problem = query.authorization.kind === "none"
    ? "No token for queries"
    : bearerProblem(query);
  if (problem !== undefined) {
    const token = query.backend === "grail" ? "a platform token (dt0s16.…)" : "an access token";
    return unreadableSetting(
      problem,
      `set DT_QUERY_TOKEN to ${token} with the scope ${setting.scope}`,
    );
  }
  try {
    const options = { scopes: setting.scope };
    const open = await openQueryClient(query, destination, credentials, options, system);
    try {
      return await readBucketSetting(setting, open.client, system.clock.wall(), system.stop);
    } finally {
      open.close();
    }
  } catch (thrown) {
    // A token file that cannot be used, or an SSO that gives no token.
    if (!(thrown instanceof UsageError)) throw thrown;
    const [message = ""] = system.secrets.hideQuoted(thrown.message).split("\n");
    return unreadableSetting(message, undefined);
  }
}

function unreadableSetting(message: string, hint: string | undefined): BucketSettingState {
  return { kind: "unreadable", why: { kind: "refused", message, hint } };
}

/** Words of a setting's state: what is well goes into the detail, everything else is a hint. */
function wordsFor(
  { place, schema, property, byDefault }: BucketSetting,
  state: BucketSettingState,
): { readonly detail?: string; readonly hint?: string } {
  const names = `${schema}, ${property}`;
  const isDefault = state.kind === "unset" && byDefault === "off";
  switch (isDefault ? "off" : state.kind) {
    case "on":
      return { detail: `histogram buckets are stored: ${place} is on (${names})` };
    case "off": {
      const why = isDefault ? "is off by default, and nobody changed it" : "is off";
      return {
        hint:
          `the environment stores histograms without buckets: ${place} ${why} (${names}); turn it on if you need ` +
          "percentiles",
      };
    }
    case "unset":
      return {
        hint:
          `the environment never set ${place} (${names}), and its default is not documented: verify shows ` +
          "whether buckets are stored",
      };
    case "gone":
      return {
        hint:
          `the environment has no setting ${schema} (${property}), which decides elsewhere whether histogram ` +
          "buckets are stored: verify shows whether they are",
      };
    default: {
      const { message = "", hint } = state.kind === "unreadable" ? state.why : {};
      return {
        hint:
          `the setting that decides whether histogram buckets are stored (${names}) could not be read: ${message}` +
          (hint === undefined ? "" : `; ${hint}`),
      };
    }
  }
}
