import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { programWords } from "./program-words.ts";

/** Two folders up, whichever of src and dist this runs from. */
const root = new URL("../../", import.meta.url);

/** How the set-up is begun: by npm's script in a clone, by the program itself where it was installed as a package. */
export const setUpCommand = (folder: URL = root): string =>
  existsSync(fileURLToPath(new URL("scripts/setup.mjs", folder))) ? "npm run setup" : `${programWords()} setup`;
