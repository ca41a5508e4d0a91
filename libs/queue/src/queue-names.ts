/** The two queues of a provider: a single diagnosis that somebody waits for never stands behind a bulk. */
export function queueNames(provider: string): { readonly bulk: string; readonly interactive: string } {
  return { bulk: provider, interactive: `${provider}-interactive` };
}

/** Which queue carries the jobs of a run. */
export function queueNameFor(run: { readonly provider: string; readonly interactive: boolean }): string {
  const names = queueNames(run.provider);
  return run.interactive ? names.interactive : names.bulk;
}
