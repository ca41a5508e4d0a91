import { HopscopeError } from '#libs/model';

/** For the end of a main: our errors are told in their own words, others with their stack, for us. Gives the exit code. */
export function reportFailure(program: string, error: unknown): number {
  if (error instanceof HopscopeError) {
    process.stderr.write(`${program}: ${error.message}\n`);
    return error.code.includes('INVALID') ? 2 : 4;
  }
  process.stderr.write(`${program}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 4;
}
