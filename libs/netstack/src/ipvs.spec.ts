import { NotingChooser } from '../../../test/fixtures/choices.js';
import { NamespaceLog } from '../../../test/fixtures/namespace-log.js';
import { sketchDump } from '../../../test/fixtures/namespace-sketch.js';
import { tcp } from '../../../test/fixtures/packets.js';
import { receive } from './forward.js';
import { NetNamespace } from './namespace.js';
import { parseIpvs } from './parse/ipvs.js';

// Written after ipvsadm(8): the kernel of the test machines has no ip_vs.
const SAVED = [
  '-A -t 10.96.0.10:80 -s rr',
  '-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1',
  '-a -t 10.96.0.10:80 -r 10.244.1.3:8080 -m -w 3',
  '-A -t 10.96.0.11:80 -s rr',
  '',
].join('\n');

function node(): NetNamespace {
  const dump = sketchDump({
    links: [
      { name: 'eth0', addresses: ['10.10.0.11/24'] },
      { name: 'cni0', addresses: ['10.244.1.1/24'] },
      { name: 'kube-ipvs0', addresses: ['10.96.0.10/32', '10.96.0.11/32'] },
    ],
    sysctls: { 'net.ipv4.ip_forward': 1 },
  });
  return new NetNamespace({ ...dump, files: new Map([...dump.files, ['ipvsadm-save.txt', SAVED]]) });
}

describe('parseIpvs', () => {
  it('reads virtual servers with their real servers', () => {
    const [first, second] = parseIpvs(SAVED);

    expect(first?.servers.map(({ port, weight, method }) => [port, weight, method])).toEqual([
      [8080, 1, 'masquerade'],
      [8080, 3, 'masquerade'],
    ]);
    expect(second?.servers).toEqual([]);
  });

  it.each([
    {
      text: '-a -t 10.96.0.10:80 -r 10.0.0.1:80 -m',
      error: 'ipvsadm-save.txt:1: virtual server 10.96.0.10:80 is not declared before',
    },
    { text: '-A -t nowhere -s rr', error: 'ipvsadm-save.txt:1: "nowhere" is not an address and port' },
  ])('names file and line: $error', ({ text, error }) => {
    expect(() => parseIpvs(text)).toThrow(error);
  });
});

describe('a packet to a virtual server', () => {
  it('goes on to a real server, each as likely as its weight says', () => {
    const chooser = new NotingChooser(1);
    const log = new NamespaceLog(node(), chooser);

    const outcome = receive(log, 'eth0', tcp('10.10.0.12:40000 > 10.96.0.10:80 SYN'));

    expect(outcome).toMatchObject({ kind: 'transmit', dev: 'cni0', skb: { dport: 8080 } });
    expect(log.stops).toEqual([]);
  });

  it('is refused when it has none', () => {
    const log = new NamespaceLog(node());

    receive(log, 'eth0', tcp('10.10.0.12:40000 > 10.96.0.11:80 SYN'));

    expect(log.stops).toEqual([expect.stringContaining('IPVS_SERVER_MISSING')]);
  });
});
