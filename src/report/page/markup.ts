import { html, raw } from "hono/html";

/** HTML that is safe to put into a page: every value in it has been escaped. */
export type Markup = ReturnType<typeof raw>;

export type MarkupValue = string | number | boolean | null | undefined | Markup | readonly MarkupValue[];

/** Template tag: escapes every value but Markup, flattens arrays, leaves out null, undefined and booleans. */
export function markup(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  const made = html(strings, ...values);
  if (made instanceof Promise) throw new TypeError("markup takes plain values, got a promise");
  return made;
}

/** Marks text as HTML. Only for text that this program made itself: styles, scripts, cleaned SVG. */
export const trusted = (text: string): Markup => raw(text);

/** Escapes inside JSON what could end a script element or, in old parsers, a string. */
const jsonEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** A block of data for the page's script: never executed, whatever strings it holds. */
export function dataBlock(id: string, value: unknown): Markup {
  const json = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => jsonEscapes[character] ?? character);
  return markup`<script type="application/json" id="${id}">${trusted(json)}</script>`;
}

/** At most `length` characters, the last an ellipsis where text was cut. */
export function shorten(text: string, length: number): string {
  const characters = [...text.slice(0, 2 * length + 2)];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** A name from outside, cut to a length a layout can bear, its writing direction kept to itself. */
export const foreign = (text: string, length = 80): Markup => markup`<bdi>${shorten(text, length)}</bdi>`;

/**
 * Replaces what a name may hold and a page must not by U+FFFD: what HTML forbids (control characters, lone surrogates)
 * and what turns the direction of the text after it, which closing a <bdi> does not end when the name opens an isolate
 * of its own. Names in right-to-left scripts need neither.
 */
export function withoutHarmfulCharacters(page: string): string {
  return page.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Cs}|\p{Noncharacter_Code_Point}/gu,
    "\uFFFD",
  );
}
