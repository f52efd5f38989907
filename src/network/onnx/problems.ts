/** The file is damaged, or is not what its own description says. */
export class Damaged extends Error {}

/** A node that the graph has no counterpart for, with the reason; the import goes on, to list all such nodes at once. */
export class Unsupported extends Error {}

/** A node behind an unsupported one: nothing can be said of it. */
export class Unknown extends Error {}

const MAX_SHOWN = 100;

/** A name of the file as messages show it: its end where it is long, nothing that a terminal would act on. */
export function cut(name: string): string {
  const shown = name.length > MAX_SHOWN ? `…${name.slice(-MAX_SHOWN)}` : name;
  return shown.replace(/\p{Cc}/gu, "?");
}
