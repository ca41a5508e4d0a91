import { CloudCallError } from './cloud-call-error.js';
import type { LookedUp, LookUpFailure } from './gathered.js';

/** Collects what could not be looked up, while the rest goes on. */
export class Failures {
  readonly list: LookUpFailure[] = [];

  /** The result of `look`; when its call fails, `otherwise`, and the failure is kept. Other errors are ours and pass. */
  async keep<T>(kind: LookedUp, id: string | undefined, look: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof CloudCallError)) throw error;
      this.list.push({ kind, error, ...(id === undefined ? {} : { id }) });
      return otherwise;
    }
  }

  /** When a look-up failed as a whole, those that begin with its results have failed as well: they know not where to look. */
  follow(kind: LookedUp, dependents: readonly LookedUp[]): void {
    const first = this.list.find((failure) => failure.kind === kind && failure.id === undefined);
    if (first === undefined) return;
    for (const dependent of dependents) this.list.push({ kind: dependent, error: first.error });
  }

  /** Nothing of these kinds was asked for. Kinds that have failed already keep their own reason. */
  noneOf(kinds: readonly LookedUp[], error: CloudCallError): void {
    const failed = new Set(this.list.map((failure) => failure.kind));
    for (const kind of kinds) if (!failed.has(kind)) this.list.push({ kind, error });
  }
}
