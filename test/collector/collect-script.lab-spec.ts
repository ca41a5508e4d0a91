import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  collectHere,
  dumpNamespace,
  runInNetns,
  scriptInput,
  type NodeDump,
  type ScriptRequest,
} from '#libs/collector';
import { PodNamespaces } from './pod-namespaces.js';

const UIDS = {
  systemd: '6f1b2c3d-0000-4000-8000-000000000001',
  cgroupfs: '6f1b2c3d-0000-4000-8000-000000000002',
  host: '6f1b2c3d-0000-4000-8000-000000000003',
  static: '0123456789abcdef0123456789abcdef',
} as const;
const NFT = `table inet fw {
  set blocked { type ipv4_addr; flags interval; elements = { 10.66.0.0/16, 192.0.2.1 } }
  chain input { type filter hook input priority 0; policy accept;
    ip saddr @blocked drop
  }
}
table netdev guard {
  chain ing { type filter hook ingress device "vsystemd" priority 0; policy accept;
    ip saddr 192.0.2.9 drop
  }
}
`;
// Numbers that go on counting while we look.
const COUNTERS = new Set(['meta.json', 'stderr.txt', 'proc-snmp.txt', 'proc-netstat.txt', 'conntrack.txt']);

const hasBusybox = spawnSync('busybox', ['true']).status === 0;
const SHELLS = [
  { shell: 'dash', argv: ['dash'], there: spawnSync('dash', ['-c', 'true']).status === 0 },
  { shell: 'bash', argv: ['bash'], there: spawnSync('bash', ['-c', 'true']).status === 0 },
  { shell: 'busybox sh', argv: ['busybox', 'sh'], there: hasBusybox },
];

// The machine may be busy: what is measured here is what is done, not how fast.
jest.setTimeout(60_000);

describe('collect.sh', () => {
  let lab: PodNamespaces;
  let request: ScriptRequest;
  const scratch = mkdtempSync(join(tmpdir(), 'hopscope-collect-test-'));

  beforeAll(async () => {
    lab = await PodNamespaces.open('script');
    await lab.add('node');
    await lab.addPod('node', 'systemd', ['10.99.0.1/24', 'fd00:99::1/64']);
    await lab.addPod('node', 'cgroupfs', ['10.99.0.2/24']);
    await lab.addPod('node', 'byip', ['10.99.0.3/24']);
    await lab.addPod('node', 'byip6', ['fd00:99::4/64']);
    await lab.addPod('node', 'pinned', ['10.99.0.5/24']);
    await lab.addPod('node', 'static', ['10.99.0.6/24']);
    lab.run('systemd', `kubepods-burstable-pod${UIDS.systemd.replaceAll('-', '_')}.slice`);
    lab.run('cgroupfs', `pod${UIDS.cgroupfs}`);
    lab.run('static', `pod${UIDS.static}`);
    lab.run('byip');
    lab.run('byip6');
    lab.run('node', `kubepods-pod${UIDS.host.replaceAll('-', '_')}.slice`);
    writeFileSync(join(scratch, 'rules.nft'), NFT);
    await lab.in('node', 'nft', '-f', join(scratch, 'rules.nft'));
    await lab.in('node', 'iptables-nft', '-A', 'FORWARD', '-s', '192.0.2.7', '-j', 'DROP');
    await lab.in('node', 'iptables-legacy', '-A', 'INPUT', '-s', '192.0.2.8', '-j', 'DROP');
    await lab.in('node', 'ipset', 'create', 'peers', 'hash:net');
    await lab.in('node', 'tc', 'qdisc', 'add', 'dev', 'vsystemd', 'clsact');
    await settled(lab);
    const pod = (name: string, uids: string[], ips: string[]) => ({ namespace: 'shop', name, uids, ips });
    request = {
      cluster: 'lab',
      node: 'node1',
      hostNamespace: lab.path('node'),
      root: '/',
      pods: [
        pod('systemd', [UIDS.systemd], ['10.99.0.1']),
        pod('cgroupfs', [UIDS.cgroupfs], []),
        pod('static', ['11111111-0000-4000-8000-000000000000', UIDS.static], []),
        pod('byip', ['22222222-0000-4000-8000-000000000000'], ['10.99.0.3']),
        pod('byip6', [], ['fd00:99:0:0::4']),
        pod('pinned', [], ['10.99.0.5']),
        pod('host', [UIDS.host], []),
        pod('gone', ['33333333-0000-4000-8000-000000000000'], ['10.99.0.77']),
        { name: 'gateway', uids: [], ips: [], path: lab.path('byip') },
      ],
    };
  }, 60_000);

  afterAll(async () => {
    await lab.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** Runs the script with a folder of commands before all others. */
  const collectWith = async (commands: Readonly<Record<string, string>>, wanted: ScriptRequest = request) => {
    const folder = mkdtempSync(join(scratch, 'bin-'));
    for (const [name, text] of Object.entries(commands)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    return collectHere(wanted, { shell: ['env', `PATH=${folder}:/usr/sbin:/usr/bin:/sbin:/bin`, 'sh'] });
  };

  it.each(SHELLS)('finds every namespace and reads it alike in $shell', async ({ shell, argv, there }) => {
    if (!there) return console.warn(`${shell} is not installed here, so it was not tried`);
    const dump = await collectHere(request, { shell: ['env', `HOPSCOPE_SH=${argv.join(' ')}`, ...argv] });

    expect(outcomes(dump)).toEqual({
      'shop/systemd': 'dumped',
      'shop/cgroupfs': 'dumped',
      'shop/static': 'dumped',
      'shop/byip': 'dumped',
      'shop/byip6': 'dumped',
      'shop/pinned': 'dumped',
      'shop/host': 'hostNetwork',
      'shop/gone': 'notFound',
      '-/gateway': 'dumped',
    });
    expect(dump).toMatchObject({ node: 'node1', error: null, truncated: false });
    for (const [name, netns] of [
      ['systemd', 'systemd'],
      ['static', 'static'],
      ['pinned', 'pinned'],
      ['gateway', 'byip'],
    ])
      expect(addressesOf(dump, name ?? '')).toEqual(await kernelAddresses(netns ?? ''));
    await expectAsReference(dump, 'node1', 'node', 'node');
    await expectAsReference(dump, 'systemd', 'systemd', 'pod');
  });

  it('works with the tools of busybox alone, but for iproute2 and netfilter', async () => {
    if (!hasBusybox) return console.warn('busybox is not installed here, so it was not tried');
    const bin = mkdtempSync(join(scratch, 'busybox-'));
    const applets = spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout.split('\n');
    for (const applet of [
      'awk',
      'ls',
      'grep',
      'sed',
      'mktemp',
      'readlink',
      'timeout',
      'nsenter',
      'sort',
      'head',
      'date',
      'find',
      'wc',
      'tar',
      'tr',
      'cat',
      'rm',
      'mv',
      'mkdir',
      'env',
      'renice',
    ])
      if (applets.includes(applet)) symlinkSync('/usr/bin/busybox', join(bin, applet));

    const dump = await collectHere(request, {
      shell: ['env', `PATH=${bin}:/usr/sbin:/usr/bin`, 'HOPSCOPE_SH=busybox sh', 'busybox', 'sh'],
    });

    expect(Object.values(outcomes(dump)).filter((outcome) => outcome === 'dumped')).toHaveLength(7);
    await expectAsReference(dump, 'node1', 'node', 'node');
  });

  it('sends lines where tar is missing', async () => {
    const asTar = await collectHere(request);
    const asLines = await collectHere(request, { shell: ['env', 'HOPSCOPE_FORMAT=lines', 'sh'] });

    expect(outcomes(asLines)).toEqual(outcomes(asTar));
    expect(asLines.truncated).toBe(false);
    expect([...stable(asLines, 'node1')].map(sorted)).toEqual([...stable(asTar, 'node1')].map(sorted));
  });

  it('loses only the pod that vanishes meanwhile', async () => {
    await lab.addPod('node', 'mortal', ['10.99.0.9/24']);
    const child = lab.run('mortal');
    const pods = [
      ...(request.pods ?? []).slice(0, 2),
      { namespace: 'shop', name: 'mortal', uids: [], ips: ['10.99.0.9'] },
    ];
    // The pod dies while its sockets are listed.
    const ss = `if ip -o addr | grep -q 10.99.0.9; then kill -9 ${child.pid}; umount -l ${lab.path('mortal')}; rm -f ${lab.path('mortal')}; fi; exec /usr/bin/ss "$@"`;

    const dump = await collectWith({ ss }, { ...request, pods });

    expect(outcomes(dump)).toEqual({ 'shop/systemd': 'dumped', 'shop/cgroupfs': 'dumped', 'shop/mortal': 'vanished' });
    expect(dump.dumps.map(({ name }) => name)).not.toContain('mortal');
  });

  it('leaves no file for a command that fails, hangs on or floods, and says which', async () => {
    const dump = await collectWith({
      ipset: 'echo "kernel says no" >&2; exit 1',
      bridge: 'case $* in *fdb*) sleep 100 ;; esac',
      conntrack: 'yes "tcp 6 src=10.0.0.1 dst=10.0.0.2"',
    });

    const node = dump.dumps.find(({ kind }) => kind === 'node');
    expect(node?.files.has('ipset-save.txt')).toBe(false);
    expect(node?.files.has('bridge-fdb.json')).toBe(false);
    const said = node?.files.get('stderr.txt') ?? '';
    expect(said).toContain('ipset-save.txt: kernel says no\nipset-save.txt: `ipset save` ended with status 1\n');
    expect(said).toContain('bridge-fdb.json: `bridge -j fdb show` was stopped after 20 s\n');
    expect(said).toContain('conntrack.txt: cut to 8 MiB\n');
    const connections = node?.files.get('conntrack.txt') ?? '';
    expect(connections.length).toBeGreaterThan(8_000_000);
    expect(connections.length).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(connections.endsWith('dst=10.0.0.2\n')).toBe(true);
    expect(dump.error).toBeNull();
    expect(node?.files.has('ip-route.json')).toBe(true);
    expect(outcomes(dump)['shop/systemd']).toBe('dumped');
  }, 120_000);

  it('never lets the name of a table become a command', async () => {
    const calls = join(scratch, 'nft-calls');
    const dump = await collectWith({ nft: `echo "$@" >>${calls}\necho 'table inet x; flush ruleset {'` });

    expect(new Set(readFileSync(calls, 'utf8').trim().split('\n'))).toEqual(new Set(['list flowtables']));
    const node = dump.dumps.find(({ kind }) => kind === 'node');
    expect(node?.files.has('nft.json')).toBe(false);
    expect(node?.files.get('stderr.txt')).toContain('nft.json: table inet has a name that nft cannot be asked for');
  });

  it('sends what it has when its time is up', async () => {
    const dump = await collectHere({ ...request, seconds: 0 });

    expect(dump.error).toBeNull();
    expect(outcomes(dump)).toMatchObject({ 'shop/systemd': 'late', 'shop/byip': 'late', 'shop/host': 'hostNetwork' });
  });

  it('tells which tools it lacks, and where it may not look', async () => {
    // A file that nobody may execute hides the tool, in a mount namespace of its own.
    const hidden = 'mount --bind /dev/null /usr/bin/nsenter; exec sh -s';
    await expect(collectHere(request, { shell: ['unshare', '-m', 'sh', '-c', hidden] })).rejects.toMatchObject({
      code: 'COLLECTOR_TOOL_MISSING',
      message: expect.stringContaining('TOOL_MISSING: nsenter'),
    });
    await expect(collectHere({ ...request, hostNamespace: '/proc/none/ns/net' })).rejects.toMatchObject({
      code: 'COLLECTOR_NOT_ALLOWED',
    });
  });

  it('leaves nothing behind: no folder, no process, no module, also when it is ended early', async () => {
    const folders = () => readdirSync(tmpdir()).filter((name) => /^hopscope-collect\.\w{6}$/.test(name));
    const modules = () =>
      existsSync('/proc/modules')
        ? readFileSync('/proc/modules', 'utf8')
            .split('\n')
            .map((line) => line.split(' ')[0])
        : [];
    const before = { folders: folders(), modules: modules() };
    await collectHere(request);
    expect({ folders: folders(), modules: modules() }).toEqual(before);

    const bin = mkdtempSync(join(scratch, 'bin-'));
    const mark = join(scratch, 'slow-began');
    writeFileSync(join(bin, 'ipset'), `#!/bin/sh\necho $$ >${mark}\nexec sleep 300\n`, { mode: 0o755 });
    const child = spawn('env', [`PATH=${bin}:/usr/sbin:/usr/bin`, 'sh', '-s'], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(scriptInput(request));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until(() => existsSync(mark));
    child.kill('SIGTERM');
    await ended;
    await until(() => folders().length === before.folders.length);
  });

  async function kernelAddresses(netns: string): Promise<string> {
    return lab.in(netns, 'ip', '-j', 'addr', 'show');
  }

  /** The reader in TypeScript asks each command by itself: two ways to the same texts. */
  async function expectAsReference(dump: NodeDump, name: string, netns: string, kind: 'node' | 'pod'): Promise<void> {
    const reference = await dumpNamespace({ kind, name }, runInNetns(lab.netns(netns)), 'T');
    const expected = new Map([...reference.files].filter(([file]) => !COUNTERS.has(file)));
    // Without the kernel's table ipvsadm fails; the script knows that there is no service then.
    if (kind === 'node' && !existsSync('/proc/net/ip_vs')) expected.set('ipvsadm-save.txt', '');
    // The script does not list the chains of iptables-nft: a walk that needs their age says that it is not known.
    const native = expected.get('nft.json');
    if (native !== undefined) expected.set('nft.json', native.replaceAll(CHAINS_ALONE, ''));
    expect(Object.fromEntries([...stable(dump, name)].map(sorted))).toEqual(
      Object.fromEntries([...expected].map(sorted)),
    );
  }
});

/** A document of nft.json that tells only when chains were made. */
const CHAINS_ALONE = /^\{"nftables":\[\{"chain":.*\n/gm;

function outcomes(dump: NodeDump): Readonly<Record<string, string>> {
  return Object.fromEntries(dump.pods.map(({ namespace, name, outcome }) => [`${namespace ?? '-'}/${name}`, outcome]));
}

function addressesOf(dump: NodeDump, name: string): string {
  return dump.dumps.find((each) => each.name === name)?.files.get('ip-addr.json') ?? '';
}

function stable(dump: NodeDump, name: string): ReadonlyMap<string, string> {
  const files = dump.dumps.find((each) => each.name === name)?.files ?? new Map<string, string>();
  return new Map([...files].filter(([file]) => !COUNTERS.has(file)));
}

/** sysctl lists in an order of its own, counters and times of day differ between two looks, and JSON may be spaced in two ways. */
function sorted([file, text]: readonly [string, string]): readonly [string, unknown] {
  if (file === 'sysctl-net.txt')
    return [
      file,
      text
        .split('\n')
        .filter((line) => !/nf_conntrack_count|somaxconn_|\.(gc_|fib_sync)/.test(line))
        .toSorted(),
    ];
  if (file === 'nft.json')
    return [file, text.split('\n').map((line): unknown => (line === '' ? '' : JSON.parse(line)))];
  if (file.endsWith('-save.txt')) return [file, text.replace(/^# .*\n/gm, '').replace(/\[\d+:\d+\]/g, '[]')];
  if (file === 'ip-neigh.json') return [file, 'neighbours age'];
  return [file, text];
}

/** Duplicate address detection is over: addresses and the groups that they join stay as they are. */
async function settled(lab: PodNamespaces): Promise<void> {
  for (let quiet = 0; quiet < 5;) {
    const tentative = await lab.in('node', 'ip', '-6', 'addr', 'show', 'tentative');
    quiet = tentative.trim() === '' ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
