import { loadConfig as load } from "../../src/config/load_config.ts";
import type { SourceReader } from "../../src/config/send_config.ts";
import { sourceConfig as source } from "../../src/config/source_config.ts";

/** For any flags, loaded already. */
export const SOURCE_READER: SourceReader = { source, load };
