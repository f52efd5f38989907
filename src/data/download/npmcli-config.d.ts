// The part of @npmcli/config that is used here; the package has no typings of its own.

declare module "@npmcli/config/lib/definitions/index.js" {
  /** npm's settings: their types and defaults, and how they become the options of pacote. */
  const npm: {
    readonly definitions: object;
    readonly shorthands: object;
    readonly nerfDarts: readonly string[];
    readonly flatten: (settings: object, options: object) => void;
  };
  export default npm;
}

declare module "@npmcli/config" {
  import type npm from "@npmcli/config/lib/definitions/index.js";

  export default class Config {
    constructor(
      options: typeof npm & {
        readonly npmPath: string;
        readonly argv: readonly string[];
        readonly env: Readonly<Record<string, string | undefined>>;
        readonly cwd: string;
      },
    );
    load(): Promise<void>;
    /** Options for pacote and npm-registry-fetch. */
    readonly flat: Readonly<Record<string, unknown>> & { readonly retry: Readonly<Record<string, number>> };
  }
}
