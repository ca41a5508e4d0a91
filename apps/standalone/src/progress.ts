const QUIET_MS = 2_000;

/** Says what is going on when it takes longer than two seconds. */
export async function withProgress<T>(title: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => process.stderr.write(`${title} ...\n`), QUIET_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
