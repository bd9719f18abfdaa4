const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Parses a decimal number as people write it, with blanks around it, without hexadecimal and `Infinity`. NaN for
 * anything else, Infinity for a number that is too large for a double.
 */
export function decimal(text: string): number {
  const trimmed = text.trim();
  return DECIMAL.test(trimmed) ? Number(trimmed) : NaN;
}
