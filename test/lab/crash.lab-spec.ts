import { spawn } from 'node:child_process';
import { must } from './netns/commands.js';
import { listLabNamespaces, netnsName, removeLabNamespaces, withLab } from './netns/lab-namespaces.js';
import { whyNoLab } from './netns/why-no-lab.js';

const IP = 'ip';
const describeLab = whyNoLab() === undefined ? describe : describe.skip;

describeLab('withLab', () => {
  it('removes what a crashed lab left, with what runs in it', async () => {
    await must(['ip', 'netns', 'add', netnsName('left-behind')]);
    const sleeper = spawn(IP, ['netns', 'exec', netnsName('left-behind'), 'sleep', '300']);
    const ended = new Promise((resolve) => sleeper.once('exit', (_code, signal) => resolve(signal)));
    while ((await must(['ip', 'netns', 'pids', netnsName('left-behind')])).trim() === '');

    const seen = await withLab(listLabNamespaces);

    expect(seen).toEqual([]);
    expect(await ended).toBe('SIGKILL');
  });

  it('cleans up after an error and leaves other namespaces alone', async () => {
    const foreign = `not-of-the-lab-${process.pid}`;
    await must(['ip', 'netns', 'add', foreign]);
    try {
      const failing = withLab(async () => {
        await must(['ip', 'netns', 'add', netnsName('half-built')]);
        throw new Error('something broke');
      });

      await expect(failing).rejects.toThrow('something broke');
      expect(await listLabNamespaces()).toEqual([]);
      expect(await must(['ip', 'netns', 'list'])).toContain(foreign);
    } finally {
      await must(['ip', 'netns', 'delete', foreign]);
    }
  });

  it('lets one lab at a time work', async () => {
    await withLab(async () => {
      await expect(withLab(async () => undefined)).rejects.toThrow('another lab is at work');
    });
    await removeLabNamespaces();
  });
});
