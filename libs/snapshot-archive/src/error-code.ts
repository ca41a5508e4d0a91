/** The `code` of a Node error (ENOENT, Z_BUF_ERROR), told by its shape: errors may come from another realm. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';
}
