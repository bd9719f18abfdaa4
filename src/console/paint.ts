/** Marks text on a terminal; each leaves the text itself as it is. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly bar: (text: string) => string;
}

const asItIs = (text: string) => text;

export const PLAIN: Paint = { strong: asItIs, faint: asItIs, bar: asItIs };

/** ECMA-48, "Select Graphic Rendition": each part is switched off by itself. */
const rendition = (on: number, off: number) => (text: string) =>
  text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`;

export const COLORED: Paint = {
  strong: rendition(1, 22),
  faint: rendition(2, 22),
  bar: rendition(36, 39),
};
