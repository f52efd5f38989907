import fc from "fast-check";
import t from "tap";
import {
  CLOSED_PARAMETER,
  deterministicGate,
  isOpen,
  OPEN_PARAMETER,
  openProbability,
  sampleGate,
  sigmoid,
} from "../../src/quantization/hard-concrete.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const phi = fc.double({ min: -8, max: 8, noNaN: true });
const draw = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const slope = (f: (x: number) => number, x: number) => (f(x + 1e-6) - f(x - 1e-6)) / 2e-6;
const isNear = (actual: number, expected: number, what: string, tolerance = 1e-9) =>
  expect(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);

t.test("the sigmoid is exact at its ends and symmetric between them", async (t) => {
  t.equal(sigmoid(1000), 1);
  t.equal(sigmoid(-1000), 0);
  t.equal(sigmoid(0), 0.5);
  lawHolds(t, phi, (x) => {
    isNear(sigmoid(x) + sigmoid(-x), 1, `${x}`);
    isNear(Math.log(sigmoid(x) / sigmoid(-x)), x, "its inverse");
  });
});

t.test("a sample is active for that share of the draws that its probability says", async (t) => {
  lawHolds(t, phi, (phi) => {
    const closed = 1 - openProbability(phi).value;
    const { value } = sampleGate(phi, Math.max(1e-12, closed * (1 - 1e-6)));
    expect(value === 0, `${value} below ${closed}`);
    expect(sampleGate(phi, Math.min(1 - 1e-12, closed * (1 + 1e-6))).value > 0, `closed above ${closed}`);
  });
  // 11^(2/3)/(1 + 11^(2/3)), from beta 2/3 and the ends -0.1 and 1.1.
  t.equal(openProbability(0).value.toFixed(12), (1 / (1 + 11 ** (-2 / 3))).toFixed(12));
});

t.test("turning parameter and draw round turns the sample round", async (t) => {
  lawHolds(t, fc.tuple(phi, draw), ([phi, u]) => {
    const { value } = sampleGate(phi, u);
    expect(value >= 0 && value <= 1, `${value}`);
    isNear(sampleGate(-phi, 1 - u).value, 1 - value, `${phi}, ${u}`);
  });
});

t.test("without noise a gate is the sample of the middle draw", async (t) => {
  lawHolds(t, phi, (phi) => isNear(deterministicGate(phi), sampleGate(phi, 0.5).value, `${phi}`));
  t.equal(deterministicGate(8), 1);
  t.equal(deterministicGate(-8), 0);
});

t.test("derivatives agree with differences, and are 0 where the clamp holds the gate", async (t) => {
  lawHolds(t, fc.tuple(phi, draw), ([phi, u]) => {
    const { value, derivative } = sampleGate(phi, u);
    if (value === 0 || value === 1) expect(derivative === 0, `${derivative} at ${value}`);
    else if (value > 1e-5 && value < 1 - 1e-5)
      isNear(
        derivative,
        slope((x) => sampleGate(x, u).value, phi),
        "sample",
        1e-6,
      );
    isNear(
      openProbability(phi).derivative,
      slope((x) => openProbability(x).value, phi),
      "probability",
      1e-6,
    );
  });
});

t.test("at test time a gate is open when it is closed with less than 34 %", async (t) => {
  lawHolds(t, phi, (phi) => expect(isOpen(phi) === openProbability(phi).value > 0.66, `${phi}`));
  t.ok(isOpen(OPEN_PARAMETER));
  t.notOk(isOpen(OPEN_PARAMETER - 1e-8), "the least such parameter");
  t.notOk(isOpen(CLOSED_PARAMETER), "what is closed without sampling is closed at test time");
});

t.test("the stretched sigmoid of phi/beta has its values and slopes", async (t) => {
  const phi = (2 / 3) * Math.log(2);
  t.equal(deterministicGate(phi).toFixed(12), "0.700000000000", "1.2·2/3 - 0.1");
  t.equal(sampleGate(phi, 0.5).value.toFixed(12), "0.700000000000");
  t.equal(sampleGate(phi, 0.5).derivative.toFixed(12), "0.400000000000", "1.2·(2/3)·(1/3)/(2/3)");
});
