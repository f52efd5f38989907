/** What every network of the zoo is made for. */
export interface ZooOptions {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}
