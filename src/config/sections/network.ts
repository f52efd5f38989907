import { z } from "zod";

export const network = z
  .strictObject({ name: z.literal("lenet5").describe("a network of the zoo") })
  .describe("the network that is trained");
