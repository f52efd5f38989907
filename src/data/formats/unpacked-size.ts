import { UserError } from "../../core/errors.ts";

/** Images of one colour pack to a thousandth, and a small file could fill the memory; drawings pack to some fiftieth. */
const mostUnpacked = 100;
/** Bytes that any file may unpack to. */
const alwaysUnpacked = 256 * 2 ** 20;

/** @throws UserError where what a file unpacks to is out of all proportion to what is stored, both in bytes. */
export function requireProportion(
  place: string,
  { stored, unpacked }: { readonly stored: number; readonly unpacked: number },
): void {
  if (unpacked <= Math.max(alwaysUnpacked, mostUnpacked * stored)) return;
  throw new UserError(
    `cannot read ${place}: ${stored} bytes that take ${unpacked} once unpacked, more than ${mostUnpacked} times as many, are no images; where they are, save them unpacked`,
  );
}
