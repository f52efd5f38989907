import type { RecordChange } from "./record-feed.ts";

/** What the thread that trains says to the one that serves. */
export type ToServer =
  | { readonly kind: "show"; readonly change: RecordChange }
  /** How far it is, in words. */
  | { readonly kind: "step"; readonly text: string }
  | { readonly kind: "end" };

/** How the serving thread began: the address, or why there is none. */
export type FromServer =
  | { readonly kind: "listening"; readonly address: string }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string };
