import { writeFileAtomically } from "../src/base/atomic-file.ts";
import { configJsonSchema } from "../src/config/canonical.ts";

// npm run schema: configs/schema.json, for completion in editors.
writeFileAtomically("configs/schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
