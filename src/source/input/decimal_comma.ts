/**
 * Rewrites a number or a duration with a decimal comma as one with a point: `1.234,5 ms` becomes `1234.5 ms`. Undefined
 * where a point stands alone: it may be a decimal point after all, or separate thousands.
 */
export function replaceDecimalComma(text: string): string | undefined {
  if (!text.includes(".")) return text.replace(/(\d),(\d)/g, "$1.$2");
  const match = /^(\s*[+-]?\d{1,3})((?:\.\d{3})+),(\d[^.,]*)$/.exec(text);
  if (match === null) return undefined;
  const [, first = "", thousands = "", rest = ""] = match;
  return `${first}${thousands.replaceAll(".", "")}.${rest}`;
}

/** Whether a number or a duration has a decimal comma: `1,5` has, but the one of `1,234` may separate thousands. */
export function hasDecimalComma(text: string): boolean {
  return /^\s*[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d[^.,]*$/.test(text) &&
    !/^\s*[+-]?[1-9]\d{0,2},\d{3}(?!\d)/.test(text);
}
