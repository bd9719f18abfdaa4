import type { Attributes, AttributeValue } from "../../aggregate/measurement.ts";

/** Attribute of a scenario's measurements, and the values that it may have. */
export type MixAttribute = ChosenAttribute | GeneratedAttribute;

/** Attribute whose values are written down; a single one is on every measurement. */
export interface ChosenAttribute {
  readonly key: string;
  readonly choices: readonly Choice[];
}

/** A value that an attribute can have, and how often it is drawn in proportion to the others' weights. */
export interface Choice {
  readonly value: AttributeValue;
  readonly weight: number;
}

/** Attribute with numbered values, which measurements get in turn. */
export interface GeneratedAttribute {
  readonly key: string;
  /** Number of values at a time: its slots, from 0. */
  readonly values: number;
  /** Text before the number of a value. */
  readonly prefix: string;
  /** Lifetime of a value in seconds, after which a new one takes its slot; Infinity: values stay. */
  readonly churnSeconds: number;
}

/** Whether the values are generated. */
export function isGenerated(attribute: MixAttribute): attribute is GeneratedAttribute {
  return "values" in attribute;
}

/**
 * Counts the sets of values that attributes can have at a time, or within a time span in seconds; a choice of weight 0
 * is not one.
 */
export function countCombinations(attributes: readonly MixAttribute[], spanSeconds = 0): number {
  return attributes.reduce((product, each) => product * valueCount(each, spanSeconds), 1);
}

function valueCount(attribute: MixAttribute, spanSeconds: number): number {
  if (isGenerated(attribute)) {
    return attribute.values + Math.ceil(spanSeconds * attribute.values / attribute.churnSeconds);
  }
  return attribute.choices.filter((choice) => isDrawn(choice, attribute)).length;
}

function isDrawn({ weight }: Choice, { choices }: ChosenAttribute): boolean {
  return weight > 0 || choices.length === 1;
}

/**
 * Returns how many values were replaced in a time since the start, in seconds. The first values end one after the other,
 * evenly over the first lifetime, and so do those that follow.
 */
export function replacedAt({ values, churnSeconds }: GeneratedAttribute, seconds: number): number {
  return Math.floor(seconds * values / churnSeconds);
}

/** Returns the time of the replacement of that number, from 1, in seconds. */
export function replacementTime(
  { values, churnSeconds }: GeneratedAttribute,
  replaced: number,
): number {
  return replaced * churnSeconds / values;
}

/**
 * Names the value in a slot when so many were replaced: those alive have the numbers that follow `replaced`, so that no
 * number comes again.
 */
export function generatedValue(
  { values, prefix }: GeneratedAttribute,
  slot: number,
  replaced: number,
): string {
  return `${prefix}${replaced + 1 + (slot + values - replaced % values) % values}`;
}

/** Returns the prefix of values that have none of their own: `route-` of `http.route`, `pod-` of `k8s.pod.name`. */
export function defaultPrefix(key: string): string {
  const thing = key.replace(/\.(?:name|id)$/, "");
  return `${thing.slice(thing.lastIndexOf(".") + 1)}-`;
}

/** Yields every set of attributes that can be drawn at the start. */
export function* attributeSets(
  [first, ...others]: readonly MixAttribute[],
): Generator<Attributes> {
  if (first === undefined) return yield {};
  for (const value of firstValues(first)) {
    for (const rest of attributeSets(others)) yield { [first.key]: value, ...rest };
  }
}

function* firstValues(attribute: MixAttribute): Generator<AttributeValue> {
  if (!isGenerated(attribute)) {
    for (const choice of attribute.choices) if (isDrawn(choice, attribute)) yield choice.value;
    return;
  }
  for (let slot = 0; slot < attribute.values; slot++) yield generatedValue(attribute, slot, 0);
}
