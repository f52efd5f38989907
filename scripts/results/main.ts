import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { compactRecords } from "./compact-records.ts";
import { pagesOfResults } from "./pages.ts";
import { publishedRecords } from "./published.ts";

// npm run results: the tables of results in README and docs, from the records in reports/, which it makes small.
compactRecords(publishedRecords());
for (const { page, after } of pagesOfResults()) writeFileAtomically(page, after);
