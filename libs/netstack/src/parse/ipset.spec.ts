import { ip } from '../../../../test/fixtures/packets.js';
import { parseIpsets, setContains, type SetKeyPart } from './ipset.js';

const TEXT = `create nodes hash:ip family inet hashsize 1024 maxelem 65536
add nodes 10.10.0.11
add nodes 10.10.0.12
create pods hash:net family inet hashsize 1024 maxelem 65536
add pods 10.244.0.0/16
add pods 10.244.9.0/24 nomatch
add pods 10.244.9.7
create web hash:ip,port family inet
add web 10.96.0.1,tcp:443
add web 10.96.0.2,udp:53
add web 10.96.0.3,tcp:8000-8010
create ports bitmap:port range 30000-32767
add ports 30080
create nics hash:net,iface family inet
add nics 10.0.0.0/8,eth0
create span hash:ip family inet
add span 10.1.0.5-10.1.0.9
create marks hash:ip,mark family inet
add marks 10.0.0.1,0x1
create all list:set size 8
add all nodes
add all pods
create broken list:set size 8
add broken nodes
add broken gone
create masked hash:ip family inet hashsize 1024 maxelem 65536 netmask 24
add masked 10.2.0.0
create odd hash:ip family inet bitmask 255.0.0.255
add odd 10.0.0.9
create masked6 hash:ip family inet6 netmask 64
add masked6 fd01::
create six hash:net family inet6
add six fd00::/64
`;

const sets = parseIpsets(TEXT);

function contains(name: string, address: string, more: Partial<SetKeyPart> = {}): boolean | undefined {
  const set = sets.get(name);
  if (set === undefined) throw new Error(`no set ${name}`);
  const key = { ip: ip(address), port: 0, protocol: 'tcp', iface: '', mac: '', ...more };
  return setContains(set, set.type === 'list:set' ? [key] : set.dimensions.map(() => key), sets);
}

describe('setContains', () => {
  it.each<{ set: string; address: string; more?: Partial<SetKeyPart>; result: boolean | undefined }>([
    { set: 'nodes', address: '10.10.0.11', result: true },
    { set: 'nodes', address: '10.10.0.13', result: false },
    { set: 'pods', address: '10.244.1.1', result: true },
    { set: 'pods', address: '10.244.9.1', result: false },
    { set: 'pods', address: '10.244.9.7', result: true },
    { set: 'pods', address: '10.245.0.1', result: false },
    { set: 'web', address: '10.96.0.1', more: { port: 443 }, result: true },
    { set: 'web', address: '10.96.0.1', more: { port: 443, protocol: 'udp' }, result: false },
    { set: 'web', address: '10.96.0.1', more: { port: 444 }, result: false },
    { set: 'web', address: '10.96.0.2', more: { port: 53, protocol: 'udp' }, result: true },
    { set: 'web', address: '10.96.0.3', more: { port: 8005 }, result: true },
    { set: 'web', address: '10.96.0.3', more: { port: 8011 }, result: false },
    { set: 'ports', address: '10.0.0.1', more: { port: 30080 }, result: true },
    { set: 'ports', address: '10.0.0.1', more: { port: 30081 }, result: false },
    { set: 'nics', address: '10.0.0.1', more: { iface: 'eth0' }, result: true },
    { set: 'nics', address: '10.0.0.1', more: { iface: 'eth1' }, result: false },
    { set: 'ports', address: '10.0.0.1', more: { port: 30080, protocol: 'icmp' }, result: false },
    { set: 'masked', address: '10.2.0.200', result: true },
    { set: 'masked', address: '10.2.1.0', result: false },
    { set: 'odd', address: '10.7.7.9', result: true },
    { set: 'odd', address: '10.7.7.8', result: false },
    { set: 'masked6', address: 'fd01::7', result: true },
    { set: 'masked6', address: 'fd02::7', result: false },
    { set: 'span', address: '10.1.0.5', result: true },
    { set: 'span', address: '10.1.0.10', result: false },
    { set: 'marks', address: '10.0.0.1', result: undefined },
    { set: 'all', address: '10.10.0.12', result: true },
    { set: 'all', address: '10.244.1.1', result: true },
    { set: 'all', address: '192.168.0.1', result: false },
    { set: 'broken', address: '10.10.0.11', result: true },
    { set: 'broken', address: '192.168.0.1', result: undefined },
    { set: 'six', address: 'fd00::1', result: true },
    { set: 'six', address: '10.0.0.1', result: false },
  ])('$set contains $address $more: $result', ({ set, address, more, result }) => {
    expect(contains(set, address, more)).toBe(result);
  });

  it('does not hold a key with fewer dimensions than the set', () => {
    const set = sets.get('web');
    if (set === undefined) throw new Error('no set web');

    expect(setContains(set, [{ ip: ip('10.96.0.1'), port: 443, protocol: 'tcp', iface: '', mac: '' }], sets)).toBe(
      false,
    );
  });
});

describe('parseIpsets', () => {
  it.each([
    { text: 'create x\n', error: 'ipset-save.txt:1: not a line of ipset save' },
    { text: '# comment\nadd x 10.0.0.1\n', error: 'ipset-save.txt:2: set x is not created before' },
  ])('$error', ({ text, error }) => {
    expect(() => parseIpsets(text)).toThrow(error);
  });
});
