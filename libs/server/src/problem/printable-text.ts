// Control characters, what turns the direction of text, what has no meaning (private, unassigned, half surrogates) and U+FFFD.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\ufffd]/gu;

/** Text for a terminal or a log: messages quote what strangers sent. */
export function printableText(text: string): string {
  return text.replace(UNPRINTABLE, '?');
}
