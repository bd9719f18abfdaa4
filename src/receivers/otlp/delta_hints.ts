/**
 * Warns about a receiver that stores delta histograms only when it is configured to; nothing for any other URL.
 * Prometheus 3.5 logs "invalid temporality and type combination" and answers 200.
 */
export function deltaHints({ pathname }: URL): readonly string[] {
  if (!pathname.endsWith("/api/v1/otlp/v1/metrics")) return [];
  return [
    "Prometheus stores the delta histograms of this program only with --enable-feature=otlp-deltatocumulative; " +
    "without it, some of its versions answer 200 and drop them",
  ];
}
