import { ip } from '../../../../test/fixtures/packets.js';
import { parseSockets } from './sockets.js';

describe('parseSockets', () => {
  it.each([
    { local: '0.0.0.0:80', socket: { families: [4], port: 80 } },
    { local: '*:10256', socket: { families: [4, 6], port: 10256 } },
    { local: '[::]:80', socket: { families: [6], port: 80 } },
    { local: '127.0.0.1:10249', socket: { ip: ip('127.0.0.1'), families: [4], port: 10249 } },
    { local: '[::1]:631', socket: { ip: ip('::1'), families: [6], port: 631 } },
    { local: '[::ffff:10.0.0.1]:80', socket: { ip: ip('10.0.0.1'), families: [4], port: 80 } },
    { local: '127.0.0.53%lo:53', socket: { ip: ip('127.0.0.53'), families: [4], port: 53, dev: 'lo' } },
    { local: '0.0.0.0%eth0:68', socket: { families: [4], port: 68, dev: 'eth0' } },
    { local: '[fe80::1%eth0]:546', socket: { ip: ip('fe80::1'), families: [6], port: 546, dev: 'eth0' } },
    { local: '*%eth0:80', socket: { families: [4, 6], port: 80, dev: 'eth0' } },
  ])('$local', ({ local, socket }) => {
    const [parsed] = parseSockets(`tcp   LISTEN 5      128    ${local}   0.0.0.0:*\n`);

    expect(parsed).toEqual({
      protocol: 'tcp',
      queue: { length: 5, limit: 128 },
      text: `tcp LISTEN 5 128 ${local} 0.0.0.0:*`,
      ...socket,
    });
  });

  it('leaves out the heading and what has no port', () => {
    const text = [
      'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port',
      'udp   UNCONN 0      0      0.0.0.0:5353       0.0.0.0:*',
      'nl    UNCONN 0      0      rtnl:kernel        *',
      '',
    ].join('\n');

    expect(parseSockets(text).map(({ text: line }) => line)).toEqual(['udp UNCONN 0 0 0.0.0.0:5353 0.0.0.0:*']);
  });

  it.each([
    { text: 'tcp LISTEN 0 1 rubbish 0.0.0.0:*\n', error: 'ss-listen.txt:1: "rubbish" is not an address and port' },
    { text: '\ntcp LISTEN\n', error: 'ss-listen.txt:2: not a line of ss -lntuH' },
  ])('$error', ({ text, error }) => {
    expect(() => parseSockets(text)).toThrow(error);
  });
});
