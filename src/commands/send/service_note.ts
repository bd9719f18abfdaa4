import { UNKNOWN_SERVICE } from "../../aggregate/identity.ts";
import type { Console } from "../../console/console.ts";
import type { Recording } from "../../source/open.ts";

/** Makes the printer of the note that nobody named the service of some data; it prints it once at most. */
export function serviceNote(
  { resources }: Pick<Recording, "resources">,
  { aside }: Pick<Console, "aside">,
): () => void {
  let isPrinted = false;
  return () => {
    if (isPrinted || !resources.some((each) => each["service.name"] === UNKNOWN_SERVICE)) return;
    isPrinted = true;
    aside(`The data is sent as service.name=${UNKNOWN_SERVICE}. Name your service with --service.`);
  };
}
