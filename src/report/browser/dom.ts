/** The elements of a kind below `root` that a selector names. */
export const all = <E extends Element>(kind: new () => E, selector: string, root: ParentNode = document): E[] =>
  [...root.querySelectorAll(selector)].filter((element): element is E => element instanceof kind);

/**
 * The first element of a kind below `root` that a selector names.
 *
 * @throws Error that names the selector when there is none: the page was made by another program.
 */
export function one<E extends Element>(kind: new () => E, selector: string, root: ParentNode = document): E {
  const [found] = all(kind, selector, root);
  if (found === undefined) throw new Error(`the page has no ${selector}`);
  return found;
}

/** A new HTML element with attributes; `text` becomes its content. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, ...attributes }: { readonly text?: string; readonly [name: string]: string } = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The text of the JSON block with this id. */
export const dataText = (id: string): string => document.getElementById(id)?.textContent || "null";

/** Reads when it is first asked, and once: a page may hold megabytes of values that nobody looks at. */
export function lazily<T>(read: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
