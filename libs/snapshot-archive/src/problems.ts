import { HopscopeError, type InputProblem } from '#libs/model';

const SHOWN = 50;

/** Gathers what is wrong with an input, so that a user hears of everything at once. */
export class Problems {
  private readonly list: InputProblem[] = [];
  private more = 0;

  /** `subject` is what an input is called as a whole. */
  constructor(readonly subject = 'archive') {}

  add(code: string, path: string, message: string): void {
    if (this.list.length < SHOWN) this.list.push({ path: printable(path), code, message });
    else this.more++;
  }

  /** For what cannot be read on from: throws with everything found so far. */
  stop(code: string, path: string, message: string): never {
    this.add(code, path, message);
    throw this.error();
  }

  throwIfAny(): void {
    if (this.list.length > 0) throw this.error();
  }

  private error(): HopscopeError {
    const codes = new Set(this.list.map((problem) => problem.code));
    const [only] = codes;
    const texts = this.list.map(({ path, message }) => `${path}: ${message}`);
    if (this.more > 0) texts.push(`and ${this.more} more`);
    return new HopscopeError(
      codes.size === 1 && only !== undefined ? only : 'SNAPSHOT_INVALID',
      `this is not a usable snapshot: ${texts.join('; ')}`,
      { problems: this.list },
    );
  }
}

/** Names come from strangers: control characters must not reach a terminal or a log. */
export function printable(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > 200 ? `${clean.slice(0, 197)}...` : clean;
}
