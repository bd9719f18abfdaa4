/** Issuer and subject of an X.509 certificate as DER, which decide its place in a chain. */
export interface CertificateFacts {
  readonly issuer: Uint8Array<ArrayBuffer>;
  readonly subject: Uint8Array<ArrayBuffer>;
}

const SEQUENCE = 0x30;
/** Tag of `version`, which a certificate of version 1 omits. */
const VERSION = 0xa0;
/** Number of fields of the longest sequence that is read, TBSCertificate. */
const MOST_FIELDS = 10;

/** Reads a certificate (RFC 5280, 4.1) without checking signature and dates; undefined if the bytes are not one. */
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

/** Splits a DER sequence that fills `der` into its elements; undefined if it is not one, or has too many. */
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

/** Finds where an element's content begins and ends (X.690, 8.1.3); undefined if that is beyond the end. */
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
