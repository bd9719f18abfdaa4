/** One block of a PEM file (RFC 7468). */
export interface PemBlock {
  /** What stands after BEGIN: `CERTIFICATE`, `PRIVATE KEY`. */
  readonly label: string;
  /** Undefined when what it holds is no base64. */
  readonly der: Uint8Array<ArrayBuffer> | undefined;
  /** The block as it stands in the file. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----/gs;

/** The blocks of a PEM file in their order; text between them is no matter. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([block, label = "", content = ""]) => ({
    label,
    // What a key that is encrypted in the old way says of itself stands before an empty line.
    der: base64(content.replace(/^(?:[\w-]+: .*\r?\n)+\r?\n/, "")),
    text: block,
  }));
}

function base64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, "")), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
