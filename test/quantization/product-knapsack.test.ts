import fc from "fast-check";
import t from "tap";
import {
  type ProductItems,
  productChooser,
  type WidthChoice,
  type WidthPicks,
} from "../../src/quantization/product-knapsack.ts";
import { lawHolds } from "../fixtures/laws.ts";

const item = (widths: readonly number[]) =>
  fc
    .subarray([...widths], { minLength: 1 })
    .chain((bits) =>
      fc.record({ choices: fc.tuple(...bits.map((width) => fc.record({ bits: fc.constant(width), harm: harms }))) }),
    );
const harms = fc.integer({ min: 0, max: 1000 });

/** Weights and activations of which products share both. */
const problems = fc
  .record({
    weights: fc.array(item([2, 4, 8]), { minLength: 1, maxLength: 3 }),
    activations: fc.array(item([8, 16, 32]), { maxLength: 3 }),
  })
  .chain(({ weights, activations }) => {
    const place = (items: readonly unknown[]) => fc.constantFrom(null, ...items.keys());
    const product = fc.record({
      weight: place(weights),
      activation: place(activations),
      macs: fc.integer({ min: 0, max: 9 }),
    });
    const products = fc.array(product, { maxLength: 6 });
    return fc.record({
      items: fc.record({ weights: fc.constant(weights), activations: fc.constant(activations), products }),
      share: fc.double({ min: 0, max: 0.4, noNaN: true }),
    });
  });

/** Every way to pick one of each. */
const allOf = (items: readonly { readonly choices: readonly WidthChoice[] }[]): readonly (readonly number[])[] =>
  items.reduce<readonly (readonly number[])[]>(
    (found, { choices }) => found.flatMap((before) => choices.map((_, choice) => [...before, choice])),
    [[]],
  );

const bopsOf = ({ weights, activations, products }: ProductItems, picks: WidthPicks): number =>
  products.reduce((sum, { weight, activation, macs }) => {
    const ofWeight = weight === null ? 32 : weights[weight]!.choices[picks.weights[weight]!]!.bits;
    const ofActivation =
      activation === null ? 32 : activations[activation]!.choices[picks.activations[activation]!]!.bits;
    return sum + macs * ofWeight * ofActivation;
  }, 0);

const harmOf = ({ weights, activations }: ProductItems, picks: WidthPicks): number =>
  picks.weights.reduce((sum, choice, index) => sum + weights[index]!.choices[choice]!.harm, 0) +
  picks.activations.reduce((sum, choice, index) => sum + activations[index]!.choices[choice]!.harm, 0);

/** The least harm of all picks within a limit; infinity where none fits. */
function exhaustive(items: ProductItems, limit: number, isAllowed: (picks: WidthPicks) => boolean = () => true) {
  let least = Number.POSITIVE_INFINITY;
  for (const weights of allOf(items.weights)) {
    for (const activations of allOf(items.activations)) {
      const picks = { weights, activations };
      if (isAllowed(picks) && bopsOf(items, picks) <= limit) least = Math.min(least, harmOf(items, picks));
    }
  }
  return least;
}

const fullOf = ({ products }: ProductItems): number => products.reduce((sum, { macs }) => sum + 1024 * macs, 0);

t.test("no widths within the limit harm less, whatever weights and activations share", async (t) => {
  lawHolds(
    t,
    problems,
    ({ items, share }) => {
      const limit = Math.floor(share * fullOf(items));
      const least = exhaustive(items, limit);
      const picks = productChooser(items)(limit);
      if (picks === null) {
        t.equal(least, Number.POSITIVE_INFINITY);
        return;
      }
      t.ok(bopsOf(items, picks) <= limit);
      t.equal(harmOf(items, picks), least);
    },
    400,
  );
});

t.test("a component of more than four activations gives them one width, others their own", async (t) => {
  const choices = (harm: number) => [8, 16, 32].map((bits) => ({ bits, harm: (32 - bits) * harm }));
  const activations = [3, 1, 4, 1, 5, 9].map((harm) => ({ choices: choices(harm) }));
  const weight = { choices: [2, 4, 8].map((bits) => ({ bits, harm: 100 / bits })) };
  const widthsOf = (picks: WidthPicks, shared: number) => new Set(picks.activations.slice(0, shared)).size;
  /** One weight meets the first ones, another the others. */
  const itemsWith = (shared: number): ProductItems => ({
    ...{ weights: [weight, weight], activations },
    products: activations.map((_, index) => ({ weight: index < shared ? 0 : 1, activation: index, macs: 1 + index })),
  });
  const apart: number[] = [];
  for (const share of [0.02, 0.04, 0.05, 0.1, 0.25]) {
    for (const shared of [4, 5]) {
      const items = itemsWith(shared);
      const limit = share * fullOf(items);
      const picks = productChooser(items)(limit)!;
      t.ok(bopsOf(items, picks) <= limit);
      const isAllowed = (one: WidthPicks) => shared === 4 || widthsOf(one, 5) === 1;
      t.equal(harmOf(items, picks), exhaustive(items, limit, isAllowed));
      if (shared === 4) apart.push(widthsOf(picks, 4));
      else t.equal(widthsOf(picks, 5), 1);
    }
  }
  t.ok(Math.max(...apart) > 1, "four may differ");
});

t.test("hundreds of layers take no time", async (t) => {
  const weights = Array.from({ length: 300 }, (_, index) => {
    const scale = 1 + ((index * 104729) % 1009);
    return { choices: [2, 4, 8].map((bits) => ({ bits, harm: scale / 4 ** bits })) };
  });
  // Three layers read one activation.
  const activations = Array.from({ length: 100 }, (_, index) => {
    const scale = 1 + ((index * 7919) % 997);
    return { choices: [8, 16, 32].map((bits) => ({ bits, harm: bits === 32 ? 0 : scale / 2 ** bits })) };
  });
  const products = weights.map((_, index) => ({
    ...{ weight: index, activation: Math.floor(index / 3), macs: 1000 + ((index * 7919) % 99991) },
  }));
  const items = { weights, activations, products };
  const limit = 0.03 * fullOf(items);
  const picks = productChooser(items)(limit)!;
  t.ok(bopsOf(items, picks) <= limit);
  t.equal(new Set(picks.weights).size, 3);
});
