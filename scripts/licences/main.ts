import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { licencesPage } from "./licences.ts";

// npm run licences: docs/licences.md, from the files that pin what is used.
writeFileAtomically("docs/licences.md", licencesPage());
