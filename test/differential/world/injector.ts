import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../../lab/traffic/script-path.js';
import { inside } from './namespaces.js';

const SCRIPT = join(repositoryRoot(), 'test', 'differential', 'world', 'inject.pl');

/** A process inside a namespace that sends the raw packets it is given. */
export class Injector {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly waiting: (() => void)[] = [];

  constructor(namespace: string) {
    // On one CPU: packets then pass the veth pair in the order in which they were sent.
    const [program = '', ...args] = [...inside(namespace), 'taskset', '-c', '0', 'perl', SCRIPT];
    this.process = spawn(program, args, { stdio: 'pipe' });
    createInterface(this.process.stdout).on('line', () => this.waiting.shift()?.());
    this.process.stderr.on('data', (text: Buffer) => console.error(`inject.pl: ${text.toString().trim()}`));
    this.process.on('exit', () => {
      for (const go of this.waiting.splice(0)) go();
    });
  }

  /** Resolves when all were handed to the kernel. */
  async send(packets: readonly { readonly device?: string; readonly bytes: Uint8Array }[]): Promise<void> {
    if (packets.length === 0) return;
    const done = new Promise<void>((resolve) => this.waiting.push(resolve));
    const lines = packets.map(({ device, bytes }) => `${device ?? '-'} ${Buffer.from(bytes).toString('hex')}\n`);
    this.process.stdin.write(`${lines.join('')}sync\n`);
    await done;
    if (this.process.exitCode !== null) throw new Error('differential: inject.pl has ended');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.stdin.end();
    await ended;
  }
}
