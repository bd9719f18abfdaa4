/** View of an OpenTelemetry SDK: the bounds that a histogram should have. */
export interface HistogramView {
  /** Name of the instrument. */
  readonly name: string;
  readonly bounds: readonly number[];
}

/** Views in the language of one SDK, ready to be pasted, below a title without a colon. */
export interface SdkViews {
  readonly language: string;
  readonly title: string;
  readonly lines: readonly string[];
}

/**
 * Writes views for the SDKs of Python, JavaScript, Java, Go and .NET, and as declarative configuration. Import this
 * module where it is used. Escape the lines before they reach a terminal: a name is foreign text.
 */
export function sdkViews(views: readonly HistogramView[]): readonly SdkViews[] {
  const inCode = (language: string, lines: readonly string[]) => ({
    language,
    title: `In an SDK, as a view (${language})`,
    lines,
  });
  return [
    inCode("Python", separated(views.map(pythonView))),
    inCode("JavaScript", separated(views.map(javaScriptView))),
    inCode("Java", views.map(javaView)),
    inCode("Go", views.map(goView)),
    inCode(".NET", views.map(dotnetView)),
    {
      language: "YAML",
      title: "In a declarative configuration (YAML)",
      lines: ["meter_provider:", "  views:", ...views.flatMap(yamlView)],
    },
  ];
}

/** Puts commas between the elements of a list, one per line. */
function separated(elements: readonly string[]): readonly string[] {
  return elements.map((element, i) => i < elements.length - 1 ? `${element},` : element);
}

/** Writes an element of MeterProvider(views=[…]) for the PyPI package opentelemetry-sdk. */
function pythonView({ name, bounds }: HistogramView): string {
  // The name is a pattern of fnmatch, where a bracket opens a set of characters.
  const pattern = JSON.stringify(name.replaceAll("[", "[[]"));
  return `View(instrument_name=${pattern}, ` +
    `aggregation=ExplicitBucketHistogramAggregation([${bounds.join(", ")}]))`;
}

/** Writes an element of new MeterProvider({ views: […] }) for @opentelemetry/sdk-metrics, 2.0 and later. */
function javaScriptView({ name, bounds }: HistogramView): string {
  return `{ instrumentName: ${JSON.stringify(name)}, aggregation: { ` +
    "type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, " +
    `options: { boundaries: [${bounds.join(", ")}] } } }`;
}

/** Writes a call on SdkMeterProvider.builder() for io.opentelemetry:opentelemetry-sdk-metrics. */
function javaView({ name, bounds }: HistogramView): string {
  return `.registerView(InstrumentSelector.builder().setName(${JSON.stringify(name)}).build(), ` +
    "View.builder().setAggregation(Aggregation.explicitBucketHistogram(" +
    `List.of(${doubles(bounds)}))).build())`;
}

/** Writes an option of metric.NewMeterProvider() for go.opentelemetry.io/otel/sdk/metric. */
function goView({ name, bounds }: HistogramView): string {
  return `metric.WithView(metric.NewView(metric.Instrument{Name: ${JSON.stringify(name)}}, ` +
    "metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{" +
    `Boundaries: []float64{${doubles(bounds)}}}})),`;
}

/** Writes a call on a MeterProviderBuilder for the NuGet package OpenTelemetry. */
function dotnetView({ name, bounds }: HistogramView): string {
  return `.AddView(instrumentName: ${JSON.stringify(name)}, ` +
    `new ExplicitBucketHistogramConfiguration { Boundaries = new double[] { ${
      doubles(bounds)
    } } })`;
}

/** Writes an element of meter_provider.views by the schema of opentelemetry-configuration, 1.0 and later. */
function yamlView({ name, bounds }: HistogramView): readonly string[] {
  // A dollar sign begins the name of a variable there, and two are one.
  const text = JSON.stringify(name).replaceAll("$", "$$$$");
  return [
    "    - selector:",
    `        instrument_name: ${text}`,
    "      stream:",
    "        aggregation:",
    "          explicit_bucket_histogram:",
    `            boundaries: [${doubles(bounds)}]`,
  ];
}

/** Writes numbers as floating-point literals, which Java needs, and YAML 1.1 before an exponent. */
function doubles(bounds: readonly number[]): string {
  return bounds.map((bound) => {
    const [digits = "", exponent] = String(bound).split("e");
    const mantissa = digits.includes(".") ? digits : `${digits}.0`;
    return exponent === undefined ? mantissa : `${mantissa}e${exponent}`;
  }).join(", ");
}
