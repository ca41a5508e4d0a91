import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const hook = join(import.meta.dirname, 'git-hooks', 'commit-msg');

describe('tools/git-hooks/commit-msg', () => {
  it.each([
    { message: 'feat(netstack): follow goto into user chains', accepted: true },
    { message: 'fix: answer twice\n\nA body. With stops.', accepted: true },
    { message: 'feat(providers/generic)!: rename the shim', accepted: true },
    { message: "Merge branch 'x'", accepted: true },
    { message: 'follow goto', accepted: false },
    { message: 'feature(netstack): follow goto', accepted: false },
    { message: 'feat(netstack): follow goto.', accepted: false },
    { message: `feat: ${'x'.repeat(67)}`, accepted: false },
    { message: `feat: ${'x'.repeat(66)}`, accepted: true },
  ])('$message', ({ message, accepted }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hopscope-hook-'));
    try {
      writeFileSync(join(folder, 'MSG'), `${message}\n# comment\n`);
      const done = spawnSync('sh', [hook, join(folder, 'MSG')], { encoding: 'utf8' });
      expect({ accepted: done.status === 0, complains: done.stderr !== '' }).toEqual({
        accepted,
        complains: !accepted,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
