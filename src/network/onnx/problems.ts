/** The file is damaged, or is not what its own description says; the import ends here. */
export class Damaged extends Error {}

/** A node that the graph has no counterpart for, with the reason; the import goes on, to list all such nodes at once. */
export class Unsupported extends Error {}

/** A node behind an unsupported one: nothing can be said of it. */
export class Unknown extends Error {}
