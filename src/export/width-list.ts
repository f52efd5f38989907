/** The distinct widths of a weight's rows, as notes name them: "2, 4 and 8". */
export function widthList(channelBits: Uint8Array): string {
  const widths = [...new Set(channelBits)].sort((one, other) => one - other);
  return new Intl.ListFormat("en-GB").format(widths.map(String));
}
