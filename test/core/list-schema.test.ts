import t from "tap";
import { z } from "zod";
import { listOf } from "../../src/core/list-schema.ts";

const items = listOf(z.object({ a: z.number(), b: z.number().default(2), c: z.number(), d: z.number() }));
const whole = { a: 1, c: 3, d: 4 };

t.test("a list is that of what its schema makes of the items", async (t) => {
  t.strictSame(items.parse([whole, { ...whole, b: 1 }]), [
    { ...whole, b: 2 },
    { ...whole, b: 1 },
  ]);
  t.strictSame(items.parse([]), []);
});

t.test("what is wrong is told of with its place", async (t) => {
  const { error } = z.object({ items }).safeParse({ items: [whole, { ...whole, a: "1" }] });
  t.strictSame(
    error?.issues.map(({ path, message }) => [path.join("."), message]),
    [["items.1.a", "Invalid input: expected number, received string"]],
  );
  t.match(z.object({ items }).safeParse({ items: {} }).error?.issues, [{ path: ["items"] }]);
});

t.test("of any number of wrong items a few are told of", async (t) => {
  const { error } = items.safeParse(new Array(330_000).fill({}));
  t.equal(error?.issues.length, 15);
});
