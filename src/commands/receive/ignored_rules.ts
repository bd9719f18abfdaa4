import { findNearest } from "../../platform/nearest.ts";
import { MEANING_RULES } from "../../receivers/meaning/rules.ts";
import { UNLISTED } from "../../receivers/problem.ts";
import type { ReceiverProfile } from "../../receivers/profile.ts";
import { invalid, type Setting } from "../../settings/setting.ts";
import { REFUSAL_RULES } from "./refused.ts";

/** Reads the rules that `--ignore` names, or throws a UsageError for one that is not among those of `--rules`. */
export async function readIgnoredRules(
  settings: readonly Setting[],
  profile: Pick<ReceiverProfile, "rules">,
  rulesName: string,
): Promise<ReadonlySet<string>> {
  if (settings.length === 0) return new Set();
  const rules = [
    ...new Set([
      ...await profile.rules(),
      ...MEANING_RULES.map(({ id }) => id),
      ...REFUSAL_RULES,
      UNLISTED,
    ]),
  ].sort();
  for (const setting of settings) {
    if (!rules.includes(setting.value)) throw unknownRule(setting, rules, rulesName);
  }
  return new Set(settings.map(({ value }) => value));
}

function unknownRule(setting: Setting, rules: readonly string[], rulesName: string) {
  const near = nearRules(setting.value, rules);
  return invalid(
    setting,
    near.length === 0
      ? `a rule of --rules ${rulesName}: ${rules.join(", ")}`
      : `a rule of --rules ${rulesName}, such as ${near.join(" or ")}`,
  );
}

/** Finds the rules that were probably meant: the nearest one, and those that share a word with it. */
function nearRules(typed: string, rules: readonly string[]): readonly string[] {
  const nearest = findNearest(typed, rules);
  const words = typed.split(/[^a-z]+/i).filter((word) => word.length > 2);
  const related = rules.filter((rule) => words.some((word) => rule.split("-").includes(word)));
  return [...new Set([...nearest === undefined ? [] : [nearest], ...related])].slice(0, 6);
}
