/** Decodes percent escapes (W3C Baggage, which OTEL_*_HEADERS follows); invalid ones stay as they are. */
export function percentDecode(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
