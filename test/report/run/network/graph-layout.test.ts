import fc from "fast-check";
import t from "tap";
import { blocksOf, type Layout, layOut, type Sized } from "../../../../src/report/run/network/graph-layout.ts";

const seed = 19;

const item = (id: string, ...reads: string[]): Sized => ({ id, width: 100, height: 40, reads, follows: false });

/** `count` residual blocks of two convolutions. */
function residual(count: number): Sized[] {
  const items = [item("input"), item("stem", "input")];
  let at = "stem";
  for (let block = 0; block < count; block++) {
    items.push(item(`a${block}`, at), item(`b${block}`, `a${block}`), item(`add${block}`, `b${block}`, at));
    at = `add${block}`;
  }
  return [...items, item("head", at)];
}

/** Any graph: each item reads one to three of those before it. */
const anyGraph = fc
  .array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 25 })
  .map((reads) => [
    item("0"),
    ...reads.map((some, index) => item(String(index + 1), ...new Set(some.map((one) => String(one % (index + 1)))))),
  ]);

const overlap = ({ placed }: Layout): boolean =>
  placed.some((one, index) =>
    placed
      .slice(index + 1)
      .some(
        (other) =>
          one.x < other.x + other.width &&
          other.x < one.x + one.width &&
          one.y < other.y + other.height &&
          other.y < one.y + one.height,
      ),
  );

t.test("blocks end where one value alone is alive", async (t) => {
  t.strictSame(
    blocksOf(residual(2)).map((block) => block.map(({ id }) => id)),
    [["input", "stem"], ["a0", "b0", "add0"], ["a1", "b1", "add1"], ["head"]],
  );
});

t.test("a short chain is one row, a long one has columns, a narrow one a single column", async (t) => {
  const chain = Array.from({ length: 20 }, (_, index) =>
    item(String(index), ...(index > 0 ? [String(index - 1)] : [])),
  );
  t.equal(layOut(chain.slice(0, 4), { width: 1000 }).flow, "right");
  const wide = layOut(chain, { width: 1000 });
  t.equal(wide.flow, "down");
  t.ok(new Set(wide.placed.map(({ x }) => x)).size > 3);
  t.equal(new Set(layOut(chain, { width: 150 }).placed.map(({ x }) => x)).size, 1);
});

t.test("a network of 27 residual blocks fits a column of a desktop in some screens, and a phone", async (t) => {
  const wide = layOut(residual(27), { width: 1056 });
  t.ok(wide.width <= 1056 && wide.height < 2500, `${wide.width}×${wide.height}`);
  const narrow = layOut(residual(27), { width: 316 });
  t.ok(narrow.width <= 316);
});

t.test(
  "of any graph every box is placed once, none covers another, every line goes from its source to its target",
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(anyGraph, fc.constantFrom(300, 1000), (items, width) => {
          const layout = layOut(items, { width });
          const at = new Map(layout.placed.map((one) => [one.id, one]));
          const lines = items.reduce((sum, { reads }) => sum + reads.length, 0);
          const joined = layout.routes.every(({ from, to, points }) => {
            const [source, target] = [at.get(from)!, at.get(to)!];
            const [[x, y], [endX, endY]] = [points[0]!, points.at(-1)!];
            return layout.flow === "down"
              ? y === source.y + source.height && endY === target.y && x >= source.x && Math.abs(endX - target.x) <= 200
              : x === source.x + source.width && endX === target.x && y >= source.y && Math.abs(endY - target.y) <= 200;
          });
          return at.size === items.length && layout.routes.length === lines && joined && !overlap(layout);
        }),
        { seed },
      ),
    );
  },
);
