import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pageHead, type ReferencePage } from './page.js';

const run = promisify(execFile);

async function helpOf(root: string, command: readonly string[]): Promise<string> {
  const main = join(root, 'dist/apps/cli/src/main.js');
  // Without a terminal and with a fixed width, so that every machine renders the same.
  const env = { ...process.env, COLUMNS: '100', NO_COLOR: '1' };
  const { stdout } = await run(process.execPath, [main, ...command, '--help'], { env });
  return stdout.trimEnd();
}

/** The names below "Commands:" in a help text. */
export function listCommands(help: string): readonly string[] {
  const [, section = ''] = help.split(/^Commands:$/m);
  return [...section.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
}

async function renderCommand(root: string, command: readonly string[]): Promise<readonly string[]> {
  const help = await helpOf(root, command);
  const own = `## hopscope${command.map((word) => ` ${word}`).join('')}\n\n\`\`\`text\n${help}\n\`\`\`\n`;
  const below = await Promise.all(listCommands(help).map((name) => renderCommand(root, [...command, name])));
  return [own, ...below.flat()];
}

export const cliPage: ReferencePage = {
  path: 'docs/reference/cli.md',
  render: async (root) => {
    const sections = await renderCommand(root, []);
    return [pageHead('Command line', 'the help of apps/cli'), ...sections].join('\n').trimEnd().concat('\n');
  },
};
