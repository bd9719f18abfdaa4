/** What of an X.509 certificate tells its place in a chain, each field as DER. */
export interface CertificateFacts {
  readonly issuer: Uint8Array<ArrayBuffer>;
  readonly subject: Uint8Array<ArrayBuffer>;
}

const SEQUENCE = 0x30;
/** `version`, which a certificate of version 1 leaves out. */
const VERSION = 0xa0;
/** Fields of the longest sequence that is read here, TBSCertificate. */
const MOST_FIELDS = 10;

/** Reads a certificate (RFC 5280, 4.1); undefined when the bytes are none. No signature and no date is checked. */
export function certificateFacts(der: Uint8Array<ArrayBuffer>): CertificateFacts | undefined {
  const certificate = fieldsOf(der);
  const [content] = certificate ?? [];
  const fields = content === undefined || certificate?.length !== 3 ? undefined : fieldsOf(content);
  if (fields === undefined) return undefined;
  const at = fields[0]?.[0] === VERSION ? 1 : 0;
  // serialNumber, signature, issuer, validity, subject
  const [issuer, , subject] = fields.slice(at + 2);
  if (issuer === undefined || subject === undefined) return undefined;
  return issuer[0] === SEQUENCE && subject[0] === SEQUENCE ? { issuer, subject } : undefined;
}

/** The elements of a DER sequence that fills `der`; undefined when it is none, or one of too many elements. */
function fieldsOf(der: Uint8Array<ArrayBuffer>): readonly Uint8Array<ArrayBuffer>[] | undefined {
  const whole = elementAt(der, 0);
  if (der[0] !== SEQUENCE || whole?.end !== der.length) return undefined;
  const fields: Uint8Array<ArrayBuffer>[] = [];
  for (let at = whole.content; at < der.length;) {
    const field = elementAt(der, at);
    if (field === undefined || fields.length === MOST_FIELDS) return undefined;
    fields.push(der.subarray(at, field.end));
    at = field.end;
  }
  return fields;
}

/** Where the content of an element begins and where it ends (X.690, 8.1.3); undefined beyond the end. */
function elementAt(
  der: Uint8Array,
  at: number,
): { readonly content: number; readonly end: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  const bytes = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < bytes; i++) length = length * 256 + (der[at + 2 + i] ?? Infinity);
  const content = at + 2 + bytes;
  return content + length <= der.length ? { content, end: content + length } : undefined;
}
