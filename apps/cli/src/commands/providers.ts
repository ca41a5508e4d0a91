import { configJsonSchema } from '#libs/config';
import { HopscopeError } from '#libs/model';
import { z } from 'zod';
import { EXIT } from '../exit-code.js';
import type { CliIo } from '../io.js';
import { formatYaml } from '../output/formats.js';
import { Writer } from '../output/writer.js';
import { providers } from '../registry.js';

const Flags = z.object({ output: z.string() });
const FORMATS = 'text, json or yaml';

/** `hopscope providers`. */
export async function runProviders(input: unknown, io: CliIo): Promise<number> {
  const { output } = Flags.parse(input);
  await new Writer(io.stdout, io.signal).write(await format(output), EXIT.reachable);
  return EXIT.reachable;
}

async function format(output: string): Promise<string> {
  const list = providers.list();
  const rows = list.map(({ name, title, config }) => ({ name, title, settings: configJsonSchema(config) }));
  switch (output) {
    case 'text': {
      const width = Math.max(...list.map(({ name }) => name.length));
      return list.map(({ name, title }) => `${name.padEnd(width)}  ${title}\n`).join('');
    }
    case 'json':
      return `${JSON.stringify(rows, null, 2)}\n`;
    case 'yaml':
      return formatYaml(rows);
    default:
      throw new HopscopeError('USAGE', 'this cannot be done as it was asked:', {
        problems: [{ path: '-o', code: 'UNKNOWN_FORMAT', message: `"${output}" is no format here; use ${FORMATS}` }],
      });
  }
}
