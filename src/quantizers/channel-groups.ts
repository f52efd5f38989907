/** Which output channels, the last axis, share the gates of their levels: neighbours, `size` at a time; the last group may be smaller. */
export class ChannelGroups {
  readonly channels: number;
  readonly size: number;

  /** @param size With as many as `channels`, or more, all of them share their gates. */
  constructor(channels: number, size: number) {
    this.channels = channels;
    this.size = size;
  }

  get count(): number {
    return Math.ceil(this.channels / this.size);
  }

  /** The group of a channel. */
  of(channel: number): number {
    return Math.floor(channel / this.size);
  }

  /** One number for each channel: its group's. */
  spread(values: ArrayLike<number>): Float32Array {
    const spread = new Float32Array(this.channels);
    for (let channel = 0; channel < this.channels; channel++) spread[channel] = values[this.of(channel)]!;
    return spread;
  }

  /** The sums of each group's channels. */
  sum(values: ArrayLike<number>): Float64Array {
    const sums = new Float64Array(this.count);
    for (let channel = 0; channel < this.channels; channel++) sums[this.of(channel)]! += values[channel]!;
    return sums;
  }
}
