/** Far deeper than anything that this program writes; code that walks deeper values runs out of stack. */
const MOST_LEVELS = 100;

const isNested = (value: unknown): value is object => typeof value === "object" && value !== null;

/** JSON from outside. @throws an Error when it is none, or nested more deeply than anything this program writes. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  let level: readonly object[] = isNested(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) throw new Error(`nested more than ${MOST_LEVELS} levels deep`);
    level = level.flatMap((one) => Object.values(one).filter(isNested));
  }
  return value;
}
