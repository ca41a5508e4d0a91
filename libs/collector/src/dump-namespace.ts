import type { NamespaceDump } from '#libs/model';
import type { CommandRunner } from './command.js';
import { DUMP_COMMANDS, type DumpCommand } from './dump-commands.js';
import { dumpNativeNft } from './native-nft.js';
import { dumpTrafficControl } from './traffic-control.js';

/** What a file's reading gave: its text, or none when it could not be read; `notes` say why, for stderr.txt. */
export interface DumpedFile {
  readonly file: string;
  readonly text?: string;
  readonly notes: readonly string[];
}

export interface DumpTarget {
  readonly kind: NamespaceDump['kind'];
  readonly namespace?: string;
  readonly name: string;
  readonly node?: string;
  readonly uid?: string;
  readonly netnsInode?: number;
}

/** Reads one network namespace. A command that fails or is not there leaves no file and a line in stderr.txt. */
export async function dumpNamespace(target: DumpTarget, run: CommandRunner, takenAt: string): Promise<NamespaceDump> {
  const isNode = target.kind === 'node';
  const commands = DUMP_COMMANDS.filter(({ on }) => on === 'all' || isNode);
  const dumped = await Promise.all([
    ...commands.map((command) => dumpCommand(command, run)),
    dumpNativeNft(run),
    ...(isNode ? [dumpTrafficControl(run)] : []),
  ]);
  const files = new Map<string, string>([['meta.json', `${JSON.stringify({ ...target, takenAt })}\n`]]);
  const notes: string[] = [];
  for (const { file, text, notes: said } of dumped) {
    if (text !== undefined) files.set(file, text);
    notes.push(...said.map((line) => `${file}: ${line}`));
  }
  if (notes.length > 0) files.set('stderr.txt', `${notes.join('\n')}\n`);
  return { ...target, files };
}

async function dumpCommand({ file, argv, maxBytes }: DumpCommand, run: CommandRunner): Promise<DumpedFile> {
  const { status, stdout, stderr } = await run(argv);
  const notes = stderr.split('\n').filter((line) => line.trim() !== '');
  if (status === null) return { file, notes: [`${argv[0]} is not installed`] };
  if (status !== 0) return { file, notes: [...notes, `\`${argv.join(' ')}\` ended with status ${status}`] };
  if (maxBytes === undefined || stdout.length <= maxBytes) return { file, text: stdout, notes };
  const text = stdout.slice(0, stdout.lastIndexOf('\n', maxBytes) + 1);
  return { file, text, notes: [...notes, `cut to ${text.length} of ${stdout.length} characters`] };
}
