import { parseNativeTables, parseNft } from './nft.js';

const chain = (family: string, table: string, name: string, hook?: string) => ({
  chain: {
    family,
    table,
    name,
    handle: 1,
    ...(hook === undefined ? {} : { type: 'filter', hook, prio: 0, policy: 'accept' }),
  },
});
const document = (...items: unknown[]) => JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...items] });

describe('parseNativeTables', () => {
  it.each([
    {
      title: 'leaves out the tables of iptables-nft',
      text: document(
        { table: { family: 'ip', name: 'filter' } },
        chain('ip', 'filter', 'INPUT', 'input'),
        chain('ip', 'filter', 'KUBE-FORWARD'),
      ),
      names: [],
    },
    {
      title: 'keeps a table of its own name',
      text: document(
        { table: { family: 'ip', name: 'kube-proxy' } },
        chain('ip', 'kube-proxy', 'filter-input', 'input'),
      ),
      names: ['ip kube-proxy input'],
    },
    {
      title: 'keeps a table that has the name of an iptables table and base chains that iptables never makes',
      text: document({ table: { family: 'ip', name: 'filter' } }, chain('ip', 'filter', 'input', 'input')),
      names: ['ip filter input'],
    },
    {
      title: 'keeps tables of the inet family whatever their name',
      text: document({ table: { family: 'inet', name: 'filter' } }, chain('inet', 'filter', 'INPUT', 'input')),
      names: ['inet filter input'],
    },
    {
      title: 'reads one document a line',
      text: `${document({ table: { family: 'inet', name: 'a' } })}\n${document({ table: { family: 'inet', name: 'b' } })}\n`,
      names: ['inet a ', 'inet b '],
    },
    { title: 'reads an empty file as no tables', text: '', names: [] },
  ])('$title', ({ text, names }) => {
    const tables = parseNativeTables(text);

    const hooks = tables.map(({ chains }) => [...chains.values()].flatMap(({ base }) => base?.hook ?? []).join(','));
    expect(tables.map(({ family, name }, at) => `${family} ${name} ${hooks[at]}`)).toEqual(names);
  });

  it.each([
    { dev: undefined, devices: undefined },
    { dev: 'eth0', devices: ['eth0'] },
    { dev: ['eth0', 'eth1'], devices: ['eth0', 'eth1'] },
  ])('keeps the devices of chains below IP: $dev', ({ dev, devices }) => {
    const base = { type: 'filter', hook: 'ingress', prio: 0, policy: 'accept', ...(dev === undefined ? {} : { dev }) };
    const [table] = parseNativeTables(document({ chain: { family: 'netdev', table: 't', name: 'c', ...base } }));

    expect(table?.chains.get('c')?.base?.devices).toEqual(devices);
  });

  it('keeps the handles of all tables, also of those that it leaves out', () => {
    const { tables, handles } = parseNft(
      document(
        { table: { family: 'ip', name: 'nat', handle: 1 } },
        { table: { family: 'ip', name: 'kube-proxy', handle: 2 } },
      ),
    );

    expect(tables.map(({ name, handle }) => `${name} ${handle}`)).toEqual(['kube-proxy 2']);
    expect([...handles]).toEqual([
      ['ip nat', 1],
      ['ip kube-proxy', 2],
    ]);
  });

  it('keeps rules by chain, with handle and comment, and the elements of sets and maps', () => {
    const [table] = parseNativeTables(
      document(
        { table: { family: 'ip', name: 't' } },
        { set: { family: 'ip', table: 't', name: 's', type: 'ipv4_addr', elem: ['10.0.0.1'] } },
        { map: { family: 'ip', table: 't', name: 'm', type: ['ipv4_addr', 'inet_service'], map: 'verdict' } },
        chain('ip', 't', 'c'),
        { rule: { family: 'ip', table: 't', chain: 'c', handle: 7, comment: 'why', expr: [{ drop: null }] } },
      ),
    );

    expect(table?.chains.get('c')?.rules).toEqual([{ handle: 7, comment: 'why', statements: [{ drop: null }] }]);
    expect(table?.sets.get('s')).toMatchObject({ type: ['ipv4_addr'], elements: ['10.0.0.1'] });
    expect(table?.sets.get('m')).toMatchObject({ type: ['ipv4_addr', 'inet_service'], map: 'verdict', elements: [] });
  });

  it.each([
    { text: `${document()}\n{"nftables":`, error: 'nft.json:2: ' },
    {
      text: document({ rule: { family: 'ip', table: 't', chain: 'gone', handle: 1, expr: [] } }),
      error: 'nft.json:1: /nftables/1: rule 1 is in chain gone, which is not declared',
    },
    { text: document({ chain: { family: 'ip', table: 't' } }), error: 'nft.json:1: /nftables/1/chain/name: ' },
    { text: '{"tables":[]}', error: 'nft.json:1: has no "nftables" list' },
  ])('$error', ({ text, error }) => {
    expect(() => parseNativeTables(text)).toThrow(error);
  });
});
