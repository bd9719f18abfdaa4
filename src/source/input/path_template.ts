/** A number, a UUID, or a hexadecimal identifier such as a hash or an ObjectId of MongoDB. */
const IDENTIFIER =
  /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*\d)[0-9a-f]{12,})$/i;

/** Replaces the identifiers among a path's segments by `{id}`, and removes its query: `/users/7?x=1` is `/users/{id}`. */
export function pathTemplate(path: string): string {
  return path.replace(/[?#].*$/s, "").split("/")
    .map((segment) => IDENTIFIER.test(segment) ? "{id}" : segment).join("/");
}
