import { createHash } from 'node:crypto';

/** SHA-256 in base64url without padding: what Felix cuts chain names from (felix/hashutils GetLengthLimitedID). */
export function urlHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
