import { HopscopeError } from '#libs/model';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dataDirectory, parseArguments } from './standalone-config.js';

describe('parseArguments', () => {
  it('reads both ways to give a value', () => {
    expect(parseArguments(['--port', '8080', '--data-dir=/x', '--once'])).toEqual({
      port: '8080',
      dataDir: '/x',
      once: true,
      sample: true,
      help: false,
    });
  });

  it.each([
    { argv: ['--prot', '1'], says: '"--prot" is not known' },
    { argv: ['--port'], says: '--port needs a value' },
    { argv: ['--port', '--once'], says: '--port needs a value' },
    { argv: ['--once=yes'], says: '--once takes no value' },
    { argv: ['--once', '--no-sample'], says: '--no-sample' },
    { argv: ['serve'], says: '"serve" is not known' },
  ])('refuses $argv', ({ argv, says }) => {
    let error: unknown;
    try {
      parseArguments(argv);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(HopscopeError);
    expect(error).toHaveProperty('message', expect.stringContaining(says));
  });
});

describe('dataDirectory', () => {
  it.each([
    { config: { dataDir: '/d', xdgDataHome: '/x' }, directory: '/d' },
    { config: { xdgDataHome: '/x' }, directory: '/x/hopscope' },
    { config: { xdgDataHome: 'relative' }, directory: join(homedir(), '.local/share/hopscope') },
    { config: {}, directory: join(homedir(), '.local/share/hopscope') },
  ])('is $directory', ({ config, directory }) => {
    expect(dataDirectory(config)).toBe(directory);
  });
});
