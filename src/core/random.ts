/**
 * Randomness as a function: what is drawn depends on (seed, stream, counter) alone, so a resumed run has nothing to
 * restore and two machines agree. Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 */
export interface RandomKey {
  /** The run's seed. */
  readonly seed: number;
  /** What the numbers are for, as `conv1.weight.quantizer` or `data-order`: streams are independent of each other. */
  readonly stream: string;
  /** Where in time, as a step or an epoch. */
  readonly counter: number;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) >>> 0;
}

/** Four 32-bit words for one counter and key. */
export function philox(counter: readonly [number, number, number, number], key: readonly [number, number]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a, 32 bits: names streams by number. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}

/** `length` independent 32-bit words. */
function words({ seed, stream, counter }: RandomKey, length: number): Uint32Array {
  const drawn = new Uint32Array(length);
  const key = [seed >>> 0, hash(stream)] as const;
  for (let block = 0; block * 4 < length; block++) {
    const four = philox([block, counter >>> 0, Math.floor(counter / 2 ** 32), Math.floor(seed / 2 ** 32)], key);
    for (let lane = 0; lane < 4 && block * 4 + lane < length; lane++) drawn[block * 4 + lane] = four[lane]!;
  }
  return drawn;
}

/** `length` independent draws from the open interval (0, 1). */
export function uniforms(key: RandomKey, length: number): Float64Array {
  return Float64Array.from(words(key, length), (word) => (word + 0.5) / 2 ** 32);
}

/** A random order of 0…length-1 (Fisher–Yates). */
export function permutation(key: RandomKey, length: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const drawn = uniforms(key, length);
  for (let index = length - 1; index > 0; index--) {
    const other = Math.floor(drawn[index]! * (index + 1));
    const held = order[index]!;
    order[index] = order[other]!;
    order[other] = held;
  }
  return order;
}

/** `count` different numbers of 0…length-1, in random order: the head of a permutation, without drawing the rest. */
export function subset(key: RandomKey, length: number, count: number): Int32Array {
  const order = new Map<number, number>();
  const drawn = uniforms(key, count);
  return Int32Array.from(drawn, (draw, index) => {
    const other = index + Math.floor(draw * (length - index));
    const picked = order.get(other) ?? other;
    order.set(other, order.get(index) ?? index);
    return picked;
  });
}
