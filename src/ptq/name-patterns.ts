/** A pattern of names in which `*` stands for anything. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );

/** What belongs to names, by patterns. */
export class NamePatterns<T> {
  readonly #known: readonly { readonly text: string; readonly pattern: RegExp; readonly value: T }[];
  readonly #fitted = new Set<string>();

  constructor(patterns: Iterable<readonly [pattern: string, value: T]>) {
    this.#known = Array.from(patterns, ([text, value]) => ({ text, pattern: patternOf(text), value }));
  }

  /** What belongs to the first pattern that a name fits; null: it fits none. */
  find(name: string): T | null {
    const found = this.#known.find(({ pattern }) => pattern.test(name));
    if (found) this.#fitted.add(found.text);
    return found?.value ?? null;
  }

  /** Those that no name has fitted so far. */
  get unused(): readonly string[] {
    return this.#known.map(({ text }) => text).filter((text) => !this.#fitted.has(text));
  }
}
