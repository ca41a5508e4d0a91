import { spawnSync } from 'node:child_process';

/** Runs a command that must succeed; a world that is half built would tell lies. */
export function must(argv: readonly string[], input = ''): string {
  const { ok, stdout, stderr } = attempt(argv, input);
  if (!ok) throw new Error(`differential: \`${argv.join(' ')}\` failed: ${stderr}\n${input}`);
  return stdout;
}

/** Runs a command that may be refused: random input is not always accepted. */
export function attempt(argv: readonly string[], input = ''): { ok: boolean; stdout: string; stderr: string } {
  const [program = '', ...args] = argv;
  const done = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (done.error !== undefined) throw new Error(`differential: ${program} cannot be started: ${done.error.message}`);
  return { ok: done.status === 0, stdout: done.stdout, stderr: done.stderr };
}
