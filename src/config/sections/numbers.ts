import { z } from "zod";

export const positive = z.number().positive();
export const count = z.int().positive();
