/** Pixels that a name may take at 11 pixels in any usual font: letters are some 7 wide, those of Han and pictures 12. */
export const roomFor = (name: string): number =>
  [...name].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) >= 0x2e80 ? 12 : 7), 0);
