import { defineConfig } from '#libs/config';
import { HopscopeError } from '#libs/model';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

export const standaloneConfig = defineConfig({
  id: 'standalone',
  title: 'npm start',
  schema: z.strictObject({
    dataDir: z.string().optional().meta({
      env: 'HOPSCOPE_DATA_DIR',
      flag: '--data-dir',
      description: 'Where the embedded database lives; a folder of the user unless given.',
    }),
    xdgDataHome: z.string().optional().meta({
      env: 'XDG_DATA_HOME',
      flag: '--xdg-data-home',
      description: 'Parent of that folder, as the XDG rules say.',
    }),
  }),
});

/** XDG base directories: a relative XDG_DATA_HOME counts as not set. */
export function dataDirectory(config: z.output<typeof standaloneConfig.schema>): string {
  if (config.dataDir !== undefined) return resolve(config.dataDir);
  const { xdgDataHome } = config;
  const parent =
    xdgDataHome !== undefined && isAbsolute(xdgDataHome) ? xdgDataHome : join(homedir(), '.local', 'share');
  return join(parent, 'hopscope');
}

export interface StandaloneArguments {
  readonly port?: string;
  readonly dataDir?: string;
  readonly once: boolean;
  readonly sample: boolean;
  readonly help: boolean;
}

export const HELP = `npm start -- [--port PORT] [--data-dir DIR] [--once] [--no-sample]

  --port PORT      port of the API and the page on 127.0.0.1 (3000; a free one when it is taken)
  --data-dir DIR   where the database lives (HOPSCOPE_DATA_DIR; a folder of your user unless given)
  --once           diagnose the samples, print the table and stop: 0 when every verdict is the expected one
  --no-sample      start without the sample clusters
`;

/** Throws INVALID_ARGUMENT with every problem. */
export function parseArguments(argv: readonly string[]): StandaloneArguments {
  const problems: string[] = [];
  const values: { port?: string; dataDir?: string } = {};
  const flags = { once: false, sample: true, help: false };
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [name, inline] = splitOnce(argument);
    const value = () => inline ?? (rest[0]?.startsWith('--') === true ? undefined : rest.shift());
    switch (name) {
      case '--port':
      case '--data-dir': {
        const text = value();
        if (text === undefined || text === '') problems.push(`${name} needs a value`);
        else values[name === '--port' ? 'port' : 'dataDir'] = text;
        break;
      }
      case '--once':
      case '--no-sample':
      case '--help':
      case '-h':
        if (inline !== undefined) problems.push(`${name} takes no value`);
        else if (name === '--once') flags.once = true;
        else if (name === '--no-sample') flags.sample = false;
        else flags.help = true;
        break;
      default:
        problems.push(`${JSON.stringify(argument)} is not known`);
    }
  }
  if (flags.once && !flags.sample) problems.push('--once has nothing to do with --no-sample');
  if (problems.length > 0)
    throw new HopscopeError('INVALID_ARGUMENT', `${problems.join('; ')}\n\n${HELP}`, {
      problems: problems.map((message) => ({ path: 'arguments', code: 'INVALID_ARGUMENT', message })),
    });
  return { ...values, ...flags };
}

function splitOnce(argument: string): [string, string | undefined] {
  const cut = argument.indexOf('=');
  return cut === -1 || !argument.startsWith('--')
    ? [argument, undefined]
    : [argument.slice(0, cut), argument.slice(cut + 1)];
}
