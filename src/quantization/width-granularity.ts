/** What of a weight has a bit-width of its own: all of it, each output channel, or so many neighbouring ones. */
export type WidthGranularity = "tensor" | "channel" | { readonly group: number };

/** How many neighbouring output channels share a width. */
export function groupSize(granularity: WidthGranularity, channels: number): number {
  if (granularity === "tensor") return channels;
  return granularity === "channel" ? 1 : granularity.group;
}
