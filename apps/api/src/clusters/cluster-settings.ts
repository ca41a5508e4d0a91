import { HopscopeError, zodProblems, type InputProblem } from '#libs/model';
import type { ProviderRecord, ProviderRepository } from '#libs/persistence';
import { inputWords } from '#libs/server';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const WORKERS_START_MS = 10_000;
const LOOK_EVERY_MS = 200;

/**
 * The provider by name. While no worker has ever said what it hosts, the first one may just be starting: that is waited for,
 * so that API and workers can be started in any order.
 */
export async function findProvider(
  providers: ProviderRepository,
  name: string,
): Promise<{ readonly provider: ProviderRecord | undefined; readonly known: readonly string[] }> {
  const deadline = Date.now() + WORKERS_START_MS;
  for (;;) {
    const all = await providers.list();
    if (all.length > 0 || Date.now() >= deadline)
      return { provider: all.find((provider) => provider.name === name), known: all.map((provider) => provider.name) };
    await sleep(LOOK_EVERY_MS);
  }
}

/** What is wrong with the settings for this provider. */
export function settingsProblems(provider: ProviderRecord, settings: unknown): InputProblem[] {
  const parsed = z.fromJSONSchema({ ...provider.settingsSchema }).safeParse(settings, { error: inputWords });
  return parsed.success ? [] : zodProblems(parsed.error, '/settings');
}

export function unknownProvider(name: string, known: readonly string[]): InputProblem {
  const cure = known.length === 0 ? 'no worker has registered one yet; start a worker' : `there is ${known.join(', ')}`;
  return { path: '/provider', code: 'UNKNOWN_PROVIDER', message: `no provider is named "${name}": ${cure}` };
}

export function accessProblem(kind: string): InputProblem | undefined {
  if (kind === 'snapshot') return undefined;
  return {
    path: '/access/kind',
    code: 'ACCESS_KIND_UNSUPPORTED',
    message: `"${kind}" is not supported yet; use {"kind": "snapshot"} and upload snapshots (POST /v1/snapshots)`,
  };
}

/** One error of all problems; its code is that of the only kind of problem, where there is one kind. */
export function problemsError(problems: readonly InputProblem[]): HopscopeError {
  const [first] = problems;
  const sameCode = problems.every(({ code }) => code === first?.code);
  const ours = first?.code === 'ACCESS_KIND_UNSUPPORTED' || first?.code === 'UNKNOWN_PROVIDER';
  return new HopscopeError(
    sameCode && ours && first !== undefined ? first.code : 'VALIDATION_FAILED',
    problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
    { problems },
  );
}
