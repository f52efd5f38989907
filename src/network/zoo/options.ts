/** What a network of the zoo for images is made for. */
export interface ZooOptions {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

/** What one for texts is. */
export interface TextOptions {
  /** Tokens of a text. */
  readonly length: number;
  /** Tokens that there are. */
  readonly vocabulary: number;
  readonly classes: number;
}
