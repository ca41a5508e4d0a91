const STOP_LIMIT_MS = 15_000;

/**
 * Waits for SIGTERM or SIGINT (or for `lost`: something that the process cannot live without has ended), then closes. A second signal, or a close that takes too long, ends the process at once:
 * every row and job survives that. Gives the exit code.
 */
export async function runUntilSignal(close: () => Promise<void>, lost?: Promise<void>): Promise<number> {
  const code = await new Promise<number>((resolve) => {
    process.once('SIGTERM', () => resolve(0));
    process.once('SIGINT', () => resolve(0));
    void lost?.then(() => resolve(4));
  });
  const hurry = () => process.exit(130);
  process.once('SIGTERM', hurry);
  process.once('SIGINT', hurry);
  const limit = setTimeout(() => {
    process.stderr.write(`did not stop within ${STOP_LIMIT_MS / 1000} s, leaving now; nothing is lost\n`);
    process.exit(1);
  }, STOP_LIMIT_MS);
  await close();
  clearTimeout(limit);
  return code;
}
