import { runCommand } from '#libs/collector';

/** Runs a command that must succeed: a lab that is half built would tell lies. */
export async function must(argv: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await runCommand(argv, input);
  if (status === 0) return stdout;
  const reason = status === null ? 'is not installed' : `ended with status ${status}`;
  throw new Error(`lab: \`${argv.join(' ')}\` ${reason}\n${stderr}${input}`);
}
