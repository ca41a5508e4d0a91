import type { CommandResult, CommandRunner } from './command.js';
import { DUMP_COMMANDS } from './dump-commands.js';
import { dumpNamespace } from './dump-namespace.js';
import { runCommand } from './netns/run-in-netns.js';

/** A host whose commands answer what is listed; all others answer nothing, successfully. */
function host(answers: Readonly<Record<string, Partial<CommandResult>>>): CommandRunner {
  return async (argv) => ({ status: 0, stdout: '', stderr: '', ...answers[argv.join(' ')] });
}

describe('dumpNamespace', () => {
  it('leaves no file for a command that failed or is not there, and says so', async () => {
    const run = host({
      'ip -j addr show': { stdout: '[]\n' },
      'ss -lntuH': { status: 1, stderr: 'Cannot open netlink socket\n' },
      'ipset save': { status: null },
    });

    const dump = await dumpNamespace({ kind: 'pod', namespace: 'default', name: 'web-0', node: 'n1' }, run, 'T');

    expect(dump.files.get('ip-addr.json')).toBe('[]\n');
    expect(dump.files.has('ss-listen.txt')).toBe(false);
    expect(dump.files.has('ipset-save.txt')).toBe(false);
    expect(dump.files.get('stderr.txt')).toBe(
      'ipset-save.txt: ipset is not installed\n' +
        'ss-listen.txt: Cannot open netlink socket\n' +
        'ss-listen.txt: `ss -lntuH` ended with status 1\n',
    );
    expect(JSON.parse(dump.files.get('meta.json') ?? '')).toEqual({
      kind: 'pod',
      namespace: 'default',
      name: 'web-0',
      node: 'n1',
      takenAt: 'T',
    });
  });

  it('reads bridges, conntrack and tc on nodes only', async () => {
    const node = await dumpNamespace({ kind: 'node', name: 'n1' }, host({}), 'T');
    const pod = await dumpNamespace({ kind: 'pod', namespace: 'a', name: 'b' }, host({}), 'T');

    const onlyNodes = DUMP_COMMANDS.filter(({ on }) => on === 'nodes').map(({ file }) => file);
    expect([...node.files.keys()]).toEqual(expect.arrayContaining([...onlyNodes, 'tc.txt']));
    expect([...pod.files.keys()].filter((file) => onlyNodes.includes(file) || file === 'tc.txt')).toEqual([]);
  });

  it('lists native nftables tables one a line, after the list of all, and leaves those of iptables-nft out', async () => {
    const listing = JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { table: { family: 'ip', name: 'nat', handle: 1 } },
        { table: { family: 'ip', name: 'kube-proxy', handle: 2 } },
        { table: { family: 'inet', name: 'filter', handle: 3 } },
      ],
    });
    const chain = (table: string, name: string, handle: number, hook?: string) => ({
      chain: { family: 'ip', table, name, handle, ...(hook === undefined ? {} : { type: 'nat', hook, prio: -100 }) },
    });
    const own = [chain('nat', 'PREROUTING', 120, 'prerouting'), chain('nat', 'CNI-A', 2)];
    const chains = JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        ...own,
        chain('nat', 'CNI-Z', 101),
        chain('nat', 'other', 3, 'prerouting'),
        chain('kube-proxy', 'nat-prerouting', 1, 'prerouting'),
      ],
    });
    const kept = [
      { chain: { family: 'ip', table: 'nat', name: 'PREROUTING', handle: 120, hook: 'prerouting' } },
      { chain: { family: 'ip', table: 'nat', name: 'CNI-A', handle: 2 } },
    ];
    const run = host({
      'nft -j list tables': { stdout: listing },
      'nft -j list chains': { stdout: chains },
      'nft -j list table ip kube-proxy': { stdout: '{"nftables":[1]}\n' },
      'nft -j list table inet filter': { stdout: '{"nftables":[2]}\n' },
    });

    const dump = await dumpNamespace({ kind: 'node', name: 'n1' }, run, 'T');

    expect(dump.files.get('nft.json')).toBe(
      `${listing}\n${JSON.stringify({ nftables: kept })}\n{"nftables":[1]}\n{"nftables":[2]}\n`,
    );
  });

  it('gives no nft.json when one table cannot be listed', async () => {
    const run = host({
      'nft -j list tables': { stdout: '{"nftables":[{"table":{"family":"inet","name":"a"}}]}' },
      'nft -j list table inet a': { status: 1 },
    });

    expect((await dumpNamespace({ kind: 'node', name: 'n1' }, run, 'T')).files.has('nft.json')).toBe(false);
  });

  it('adds the filters of devices that have clsact', async () => {
    const run = host({
      'tc qdisc show': { stdout: 'qdisc noqueue 0: dev lo root\nqdisc clsact ffff: dev eth0 parent ffff:fff1\n' },
      'tc filter show dev eth0 ingress': { stdout: 'filter protocol all pref 1 bpf\n' },
    });

    const dump = await dumpNamespace({ kind: 'node', name: 'n1' }, run, 'T');

    expect(dump.files.get('tc.txt')).toContain('\ndev eth0 ingress: filter protocol all pref 1 bpf\n');
  });

  it('cuts a conntrack table that is too long at the end of a line', async () => {
    const line = `${'x'.repeat(99)}\n`;

    const dump = await dumpNamespace(
      { kind: 'node', name: 'n1' },
      host({ 'conntrack -L': { stdout: line.repeat(100_000) } }),
      'T',
    );

    const text = dump.files.get('conntrack.txt') ?? '';
    expect(text.length).toBeGreaterThan(8_000_000);
    expect(text.length).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(text.endsWith(line)).toBe(true);
    expect(dump.files.get('stderr.txt')).toContain('conntrack.txt: cut to');
  });
});

describe('runCommand', () => {
  it('tells a command that fails from one that is not there', async () => {
    expect(await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      status: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await runCommand(['hopscope-no-such-command'])).status).toBeNull();
  });

  it('hands its input over', async () => {
    expect((await runCommand(['cat'], 'hello')).stdout).toBe('hello');
  });
});
