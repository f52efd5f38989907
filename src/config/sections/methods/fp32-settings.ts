import { z } from "zod";

/** The network as it is: nothing is quantized. */
export const fp32 = z.strictObject({ name: z.literal("fp32").describe("nothing is quantized or pruned") });
