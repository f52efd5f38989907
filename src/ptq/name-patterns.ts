/** A pattern of names in which `*` stands for anything. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );

/** Finds what belongs to the first pattern that a name fits; null: it fits none. */
export function namesMatcher<T>(patterns: Iterable<readonly [pattern: string, value: T]>): (name: string) => T | null {
  const known = Array.from(patterns, ([pattern, value]) => ({ pattern: patternOf(pattern), value }));
  return (name) => known.find(({ pattern }) => pattern.test(name))?.value ?? null;
}
