const STOP_LIMIT_MS = 15_000;

/**
 * Waits for SIGTERM or SIGINT, then closes. A second signal, or a close that takes too long, ends the process at once:
 * every row and job survives that. Gives the exit code.
 */
export async function runUntilSignal(close: () => Promise<void>): Promise<number> {
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
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
  return 0;
}
