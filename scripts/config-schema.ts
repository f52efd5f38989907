import { z } from "zod";
import { configJsonSchema, quantizeJsonSchema, sweepJsonSchema } from "../src/config/canonical.ts";
import { writeFileAtomically } from "../src/core/atomic-file.ts";
import { bitsSchema } from "../src/export/bits-file.ts";
import { quantizedBitsSchema } from "../src/ptq/quantized-bits.ts";

// npm run schema: configs/schema.json, configs/sweep.schema.json and configs/quantize.schema.json, for completion in
// editors, and configs/bits.schema.json and configs/quantized-bits.schema.json, what bits.json holds.
const write = (file: string, schema: object) => writeFileAtomically(file, `${JSON.stringify(schema, null, 2)}\n`);
write("configs/schema.json", configJsonSchema());
write("configs/sweep.schema.json", sweepJsonSchema());
write("configs/quantize.schema.json", quantizeJsonSchema());
write("configs/bits.schema.json", z.toJSONSchema(bitsSchema));
write("configs/quantized-bits.schema.json", z.toJSONSchema(quantizedBitsSchema));
