import { z } from "zod";
import { count, positive } from "./numbers.ts";

export const checkpoint = z
  .strictObject({
    everyEpochs: count.default(1).describe("epochs between two checkpoints"),
    everyMinutes: positive
      .default(10)
      .describe("minutes between two checkpoints within an epoch: what a killed run loses at most"),
  })
  .prefault({})
  .describe("when training saves");
