import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { pagesOfResults } from "./pages.ts";

// npm run results: the tables of results in README and docs, from the records in reports/.
for (const { page, after } of pagesOfResults()) writeFileAtomically(page, after);
