import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { runCommand } from '#libs/collector';

const PREFIX = 'hopscope-collect-';
// Where this machine mounts a hierarchy that we may make groups in; the name of the group is what the collector reads.
const CGROUP_ROOTS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/systemd'];

/** Runs a command that must succeed. */
async function must(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCommand(argv);
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}

/** Network namespaces of one test, and processes in them that pass for pods. Everything goes with `close`, also what a crash left. */
export class PodNamespaces {
  private readonly children: ChildProcess[] = [];
  private readonly groups: string[] = [];

  private constructor(readonly name: string) {}

  static async open(name: string): Promise<PodNamespaces> {
    const made = new PodNamespaces(name);
    await made.removeNamespaces();
    return made;
  }

  netns(name: string): string {
    return `${PREFIX}${this.name}-${name}`;
  }

  path(name: string): string {
    return `/run/netns/${this.netns(name)}`;
  }

  async add(name: string): Promise<void> {
    await must('ip', 'netns', 'add', this.netns(name));
    await must('ip', '-n', this.netns(name), 'link', 'set', 'lo', 'up');
  }

  /** A namespace with eth0 and these addresses, its other end in `node`. */
  async addPod(node: string, name: string, addresses: readonly string[]): Promise<void> {
    await this.add(name);
    const pod = this.netns(name);
    const veth = `v${name}`.slice(0, 15);
    await must('ip', '-n', this.netns(node), 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod);
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : [];
      await must('ip', '-n', pod, 'addr', 'add', address, 'dev', 'eth0', ...nodad);
    }
    await must('ip', '-n', pod, 'link', 'set', 'eth0', 'up');
    await must('ip', '-n', this.netns(node), 'link', 'set', veth, 'up');
  }

  in(name: string, ...argv: string[]): Promise<string> {
    return must('nsenter', `--net=${this.path(name)}`, ...argv);
  }

  /** A process in a namespace ("": that of this machine), in a cgroup called `group` when one is named. */
  run(name: string, group?: string): ChildProcess {
    const argv = name === '' ? ['sleep', '600'] : ['nsenter', `--net=${this.path(name)}`, 'sleep', '600'];
    const child = spawn(argv[0] ?? 'sleep', argv.slice(1), { stdio: 'ignore' });
    this.children.push(child);
    if (group !== undefined) this.join(child, group);
    return child;
  }

  private join(child: ChildProcess, group: string): void {
    for (const root of CGROUP_ROOTS) {
      const path = `${root}/${PREFIX}${group}`;
      try {
        mkdirSync(path, { recursive: true });
        writeFileSync(`${path}/cgroup.procs`, String(child.pid));
        this.groups.push(path);
        return;
      } catch {
        // Not this one: it is not mounted, or not ours.
      }
    }
    throw new Error('no cgroup hierarchy lets a test make a group');
  }

  async close(): Promise<void> {
    for (const child of this.children) {
      const ended = new Promise((resolve) => child.on('exit', resolve));
      if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    }
    for (const group of this.groups)
      try {
        rmdirSync(group);
      } catch {
        // The kernel keeps a group for a moment after its last process; an empty one is harmless.
      }
    await this.removeNamespaces();
  }

  private async removeNamespaces(): Promise<void> {
    for (const line of (await must('ip', 'netns', 'list')).split('\n')) {
      const [netns = ''] = line.split(' ');
      if (!netns.startsWith(`${PREFIX}${this.name}-`)) continue;
      // A crashed run leaves its sleepers behind: only they live in these namespaces.
      for (const pid of (await must('ip', 'netns', 'pids', netns)).split('\n'))
        if (pid !== '') spawnSync('kill', ['-9', pid]);
      await must('ip', 'netns', 'delete', netns);
    }
  }
}
