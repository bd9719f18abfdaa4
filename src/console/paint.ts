/** Highlighting of text on a terminal; the text itself stays as it is. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly bar: (text: string) => string;
}

const asItIs = (text: string) => text;

/** Highlighting that changes nothing. */
export const PLAIN: Paint = { strong: asItIs, faint: asItIs, bar: asItIs };

/** Escape sequences that switch one rendition on and off (ECMA-48, "Select Graphic Rendition"). */
const rendition = (on: number, off: number) => (text: string) =>
  text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`;

/** Highlighting with the colours of a terminal. */
export const COLORED: Paint = {
  strong: rendition(1, 22),
  faint: rendition(2, 22),
  bar: rendition(36, 39),
};
