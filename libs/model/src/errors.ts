/** An error that people may see: the code is stable, the message names the thing and the cure, and holds no secret. */
export class HopscopeError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  /** For input errors: each problem with the place where it stands. */
  readonly problems: readonly InputProblem[];

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; retryable?: boolean; problems?: readonly InputProblem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HopscopeError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.problems = options.problems ?? [];
  }
}

/** `path` is a JSON pointer into the input, a file name with line, or a flag. */
export interface InputProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** For the end of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
