const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A decimal number as people write it, blanks around it allowed: no hexadecimal, no `Infinity`. NaN when it is none,
 * Infinity when it is too large for a double.
 */
export function decimal(text: string): number {
  const trimmed = text.trim();
  return DECIMAL.test(trimmed) ? Number(trimmed) : NaN;
}
