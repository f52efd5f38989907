import fc from "fast-check";
import t, { type Test } from "tap";
import { passThrough } from "../../scripts/conformance/dpq/tables.ts";
import { type Engine, loadEngine } from "../../src/engine/load-engine.ts";
import { vocabularyCodes, vocabularyStatistics } from "../../src/kinds/coded/vocabulary-codes.ts";
import type { CodedEmbeddingNode } from "../../src/kinds/coded-embedding.ts";
import { anyEngine, near, random } from "../fixtures/engines.ts";

const numRuns = 15;
const cases = fc.record({
  seed: fc.nat(1000),
  variant: fc.constantFrom("sx" as const, "vq" as const),
  normalization: fc.constantFrom("codeword" as const, "group" as const, "none" as const),
  shared: fc.boolean(),
  vocabulary: fc.integer({ min: 2, max: 8 }),
  groups: fc.integer({ min: 1, max: 3 }),
  codewords: fc.integer({ min: 2, max: 5 }),
  units: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 1, max: 12 }),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const nested = (values: Float32Array, [tables, codewords, units]: readonly [number, number, number]) =>
  Array.from({ length: tables }, (_, table) =>
    Array.from({ length: codewords }, (_, codeword) => {
      const start = (table * codewords + codeword) * units;
      return [...values.subarray(start, start + units)];
    }),
  );

function tablesOf({ seed, variant, normalization, shared, vocabulary, groups, codewords, units }: Case) {
  const shape = [shared ? 1 : groups, codewords, units] as const;
  const node: CodedEmbeddingNode = {
    ...{ kind: "coded-embedding", id: "e", inputs: ["tokens", "queries", "keys"] },
    ...{ variant, groups, codewords, temperature: 1, beta: 0, normalization },
  };
  const sets = normalization === "none" ? 0 : normalization === "group" ? groups : 1;
  return {
    node,
    queries: { values: random(seed, "queries", [vocabulary, groups * units]), width: groups * units },
    keys: nested(random(seed, "keys", shape), shape),
    values: variant === "sx" ? nested(random(seed, "values", shape), shape) : null,
    statistics:
      sets === 0
        ? null
        : { mean: new Float32Array(sets * codewords), variance: new Float32Array(sets * codewords).fill(1) },
  };
}

const tokensOf = ({ seed, length, vocabulary }: Case) =>
  Int32Array.from(random(seed, "tokens", [length], 1), (value) => Math.floor(((value + 1) / 2) * vocabulary * 0.999));

const gradientOf = ({ seed, length, groups, units }: Case) => random(seed, "gradient", [length, groups * units]);

const trained = (drawn: Case, { ops }: Engine, tables = tablesOf(drawn), gradient = gradientOf(drawn)) =>
  passThrough(tables, { tokens: tokensOf(drawn), gradient, training: true }, ops);

const law = (t: Test, check: (drawn: Case) => void, of: fc.Arbitrary<Case> = cases) =>
  t.doesNotThrow(() => fc.assert(fc.property(of, check), { seed: 1, numRuns }));

t.test("what a token gets does not depend on the temperature, and no value's gradient does", async (t) => {
  const engine = await anyEngine();
  law(t, (drawn) => {
    const tables = tablesOf(drawn);
    const warm = trained(drawn, engine, { ...tables, node: { ...tables.node, temperature: 3 } });
    const usual = trained(drawn, engine, tables);
    near(warm.output, usual.output, 0);
    near(warm.gradients[2] ?? [], usual.gradients[2] ?? [], 0);
  });
});

t.test("vq: a query's gradient is its output's, summed, and the task gives codewords none", async (t) => {
  const engine = await anyEngine();
  law(t, (raw) => {
    const drawn = { ...raw, variant: "vq" as const };
    const { gradients, penalty, output } = trained(drawn, engine);
    const [byQuery, byKey] = gradients;
    const width = drawn.groups * drawn.units;
    const expected = new Float64Array(drawn.vocabulary * width);
    const gradient = gradientOf(drawn);
    for (const [place, token] of tokensOf(drawn).entries()) {
      for (let unit = 0; unit < width; unit++) expected[token * width + unit]! += gradient[place * width + unit]!;
    }
    near(byQuery!, expected);
    near(
      trained(
        drawn,
        engine,
        tablesOf(drawn),
        gradient.map(() => 0),
      ).gradients[1]!,
      byKey!,
      0,
    );
    const { values } = tablesOf(drawn).queries;
    const distance = Array.from(tokensOf(drawn)).reduce((sum, token, place) => {
      const apart = output.subarray(place * width, (place + 1) * width);
      return sum + apart.reduce((part, value, unit) => part + (value - values[token * width + unit]!) ** 2, 0);
    }, 0);
    near([penalty], [distance / output.length]);
  });
});

t.test("sx: gradients of queries and keys are those of the soft mean, of values those of the code", async (t) => {
  const { ops } = await anyEngine();
  const step = 1e-3;
  const softLoss = (drawn: Case, tables: ReturnType<typeof tablesOf>): number => {
    const { node, queries, keys, values } = tables;
    const { groups, units, normalization } = drawn;
    const tokens = tokensOf(drawn);
    const responses = Array.from(tokens, (token) =>
      Array.from({ length: groups }, (_, group) =>
        keys[keys.length === 1 ? 0 : group]!.map((key) =>
          key.reduce((sum, value, unit) => sum + value * queries.values[(token * groups + group) * units + unit]!, 0),
        ),
      ),
    );
    const normal = (group: number, codeword: number) => {
      if (normalization === "none") return { mean: 0, deviation: 1 };
      const all = responses.flatMap((ofToken) =>
        (normalization === "group" ? [ofToken[group]!] : ofToken).map((ofGroup) => ofGroup[codeword]!),
      );
      const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
      const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
      return { mean, deviation: Math.sqrt(variance + 1e-3) };
    };
    const gradient = gradientOf(drawn);
    return responses.reduce((loss, ofToken, place) => {
      return ofToken.reduce((sum, ofGroup, group) => {
        const scores = ofGroup.map((value, codeword) => {
          const { mean, deviation } = normal(group, codeword);
          return Math.exp((value - mean) / deviation / node.temperature);
        });
        const total = scores.reduce((one, other) => one + other, 0);
        const table = values![values!.length === 1 ? 0 : group]!;
        for (let unit = 0; unit < units; unit++) {
          const mean = scores.reduce((part, score, codeword) => part + (score / total) * table[codeword]![unit]!, 0);
          sum += mean * gradient[(place * groups + group) * units + unit]!;
        }
        return sum;
      }, loss);
    }, 0);
  };
  law(t, (raw) => {
    const drawn = { ...raw, variant: "sx" as const };
    const tables = tablesOf(drawn);
    const { gradients, output } = passThrough(
      tables,
      { tokens: tokensOf(drawn), gradient: gradientOf(drawn), training: true },
      ops,
    );
    const [byQuery, byKey, byValue] = gradients;
    const moved = (values: Float32Array, at: number, by: number) =>
      Float64Array.from(values, (value, index) => value + (index === at ? by : 0)) as unknown as Float32Array;
    const at = drawn.seed % tables.queries.values.length;
    const byFirst = (direction: number) =>
      softLoss(drawn, {
        ...tables,
        queries: { ...tables.queries, values: moved(tables.queries.values, at, direction * step) },
      });
    near([byQuery![at]!], [(byFirst(1) - byFirst(-1)) / (2 * step)], 3e-3);
    const key = (direction: number) => {
      const keys = structuredClone(tables.keys);
      keys[0]![0]![0]! += direction * step;
      return softLoss(drawn, { ...tables, keys });
    };
    near([byKey![0]!], [(key(1) - key(-1)) / (2 * step)], 3e-3);
    // The loss is linear in the values that were chosen: it is their inner product with their gradient.
    const gradient = gradientOf(drawn);
    const loss = output.reduce((sum, value, place) => sum + value * gradient[place]!, 0);
    const linear = tables.values!.flat(2).reduce((sum, value, index) => sum + value * byValue![index]!, 0);
    near([linear], [loss], 1e-4);
  });
});

t.test("tables that are equal in all groups do as one that is shared", async (t) => {
  const engine = await anyEngine();
  law(t, (raw) => {
    const shared = { ...raw, shared: true };
    const one = tablesOf(shared);
    const repeat = <T>(table: readonly T[]) => Array.from({ length: raw.groups }, () => table[0]!);
    const own = { ...one, keys: repeat(one.keys), values: one.values && repeat(one.values) };
    near(trained(shared, engine, own).output, trained(shared, engine, one).output, 0);
  });
});

t.test("frozen codes give each token what inference gives it, bit for bit", async (t) => {
  const { ops } = await anyEngine();
  law(t, (drawn) => {
    const tables = tablesOf(drawn);
    const tokens = Int32Array.from({ length: drawn.vocabulary }, (_, token) => token);
    const gradient = new Float32Array(tokens.length * tables.queries.width);
    const inferred = passThrough(tables, { tokens, gradient, training: false }, ops);
    ops.scope(
      () => {
        const uploaded = {
          queries: ops.tensor(tables.queries.values, [drawn.vocabulary, tables.queries.width]),
          keys: ops.tensor(Float32Array.from(tables.keys.flat(2)), [tables.keys.length, drawn.codewords, drawn.units]),
        };
        const codes = vocabularyCodes(tables.node, uploaded, tables.statistics, ops);
        const frozen = passThrough({ ...tables, codes }, { tokens, gradient, training: false }, ops);
        near(frozen.output, inferred.output, 0);
        if (tables.statistics === null) return;
        // Over the tokens of one batch the statistics are that batch's.
        const counts = new Float64Array(drawn.vocabulary);
        for (const token of tokensOf(drawn)) counts[token]!++;
        const whole = vocabularyStatistics(tables.node, uploaded, counts, ops);
        const moved = passThrough(
          tables,
          { tokens: tokensOf(drawn), gradient: gradientOf(drawn), training: true },
          ops,
        );
        near(
          moved.statistics!.mean,
          whole.mean.map((value) => 0.01 * value),
          1e-5,
        );
        near(
          moved.statistics!.variance,
          whole.variance.map((value) => 0.99 + 0.01 * value),
          1e-5,
        );
      },
      () => [],
    );
  });
});

t.test("both engines learn the same", async (t) => {
  const engines = await Promise.all([anyEngine(), loadEngine({ kind: "wasm" })]);
  law(t, (drawn) => {
    const [one, other] = engines.map((engine) => trained(drawn, engine));
    near(one!.output, other!.output);
    for (const [index, gradient] of one!.gradients.entries()) near(gradient, other!.gradients[index]!, 1e-4);
  });
});
