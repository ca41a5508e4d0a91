/** What a command answered. `status` is null when it could not be started at all (it is not installed). */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command inside the namespace that is being read; never rejects because of what the command answers. */
export type CommandRunner = (argv: readonly string[]) => Promise<CommandResult>;
