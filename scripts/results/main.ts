import { readFileSync } from "node:fs";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { withResults } from "./readme.ts";

// npm run results: the README's tables of results, from the records in reports/.
writeFileAtomically("README.md", withResults(readFileSync("README.md", "utf8")));
