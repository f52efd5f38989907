/** Zero of a signed tensor in its unsigned container. */
export const MIDDLE = 128;

/** An activation as codes of 8 bits: uint8 with a zero point, the type that all integer kernels take. */
export interface Codes {
  readonly name: string;
  readonly scale: number;
  readonly zeroPoint: number;
  /** The largest code, its zero point included. */
  readonly highest: number;
  /** Names of scale and zero point in the file. */
  readonly grid: readonly [scale: string, zeroPoint: string];
}
