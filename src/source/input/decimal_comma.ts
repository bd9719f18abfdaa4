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
