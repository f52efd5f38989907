/**
 * Leaves the texts of `.describe("…")` in schemas unmutated: they are documentation, and no behaviour depends on them.
 *
 * @type {(path: any) => string | undefined}
 */
const shouldIgnore = (path) =>
  path.isStringLiteral() && path.parent.callee?.property?.name === "describe"
    ? "the description of a setting or field"
    : undefined;

export const strykerPlugins = [{ kind: "Ignore", name: "descriptions", value: { shouldIgnore } }];
