import { z } from "zod";

/** Wrong items that are told of. */
const MOST_WRONG = 5;

/**
 * A list from outside whose items are objects. Judging it ends at the first few wrong items: {@link z.array} tells of every
 * missing field of every item, which takes gigabytes for a megabyte of `{}`.
 */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.array(z.unknown()).transform((values, context): z.output<Item>[] => {
    const items: z.output<Item>[] = [];
    let wrong = 0;
    for (const [index, value] of values.entries()) {
      const parsed = item.safeParse(value);
      if (parsed.success) items.push(parsed.data);
      else {
        for (const { path, message } of parsed.error.issues)
          context.issues.push({ code: "custom", input: value, path: [index, ...path], message });
        if (++wrong === MOST_WRONG) break;
      }
    }
    return items;
  });
