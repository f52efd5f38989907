/** How the log is written: for people, with colours and a bar or without, or line by line in JSON for machines. */
export const logFormats = ["pretty", "plain", "json"] as const;
export type LogFormat = (typeof logFormats)[number];
