import type { Verdict } from '#libs/model';

/** The exit codes of docs/reference. */
export const EXIT = {
  reachable: 0,
  unreachable: 1,
  usage: 2,
  undetermined: 3,
  unavailable: 4,
  /** A defect of this program (sysexits.h, EX_SOFTWARE). */
  defect: 70,
  interrupted: 130,
} as const;

export type FailOn = ReadonlySet<Verdict>;
export const FAIL_ON_DEFAULT: FailOn = new Set<Verdict>(['unreachable', 'partial', 'undetermined']);

/** Keeps what the exit code depends on, for any number of answers. */
export class Outcome {
  private badLines = 0;
  private failed = false;
  private undetermined = false;

  constructor(private readonly failOn: FailOn) {}

  note(verdict: Verdict): void {
    if (!this.failOn.has(verdict)) return;
    if (verdict === 'undetermined') this.undetermined = true;
    else this.failed = true;
  }

  noteBadLine(): void {
    this.badLines++;
  }

  /** A pair that this program could not answer: the user knows nothing about it. */
  noteDefect(): void {
    this.undetermined = true;
  }

  /** Precedence: a bad line, then what fails, then what is not known. */
  code(): number {
    if (this.badLines > 0) return EXIT.usage;
    if (this.failed) return EXIT.unreachable;
    return this.undetermined ? EXIT.undetermined : EXIT.reachable;
  }
}
