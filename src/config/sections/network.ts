import { z } from "zod";

const names = ["lenet5", "vgg7", "resnet20", "resnet32", "resnet56", "resnet18", "mobilenetv2"] as const;

export const network = z
  .strictObject({ name: z.enum(names).describe("a network of the zoo") })
  .describe("the network that is trained");
