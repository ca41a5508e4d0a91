import { listCommands } from './cli-page.js';
import { markdownTable } from './page.js';

describe('listCommands', () => {
  it('reads the names below Commands: and leaves help out', () => {
    const help = [
      'Usage: hopscope [options] [command]',
      '',
      'Options:',
      '  -V, --version      output the version number',
      '',
      'Commands:',
      '  diagnose [options]  answer why',
      '                      continued',
      '  run                 runs on a server',
      '  help [command]      display help',
    ].join('\n');

    expect(listCommands(help)).toEqual(['diagnose', 'run']);
  });

  it('finds none in a command without commands', () => {
    expect(listCommands('Usage: hopscope diagnose\n\nOptions:\n  -s, --source <s>  from')).toEqual([]);
  });
});

describe('markdownTable', () => {
  it('keeps a cell in its column', () => {
    expect(markdownTable(['a', 'b'], [['x|y', 'one\ntwo']])).toBe('| a | b |\n| --- | --- |\n| x\\|y | one two |\n');
  });
});
