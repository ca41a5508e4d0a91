import { sketchNamespace } from '../../../test/fixtures/namespace-sketch.js';
import { icmpError, tcp, udp } from '../../../test/fixtures/packets.js';
import { findListener, type ListenerResult } from './listener.js';
import { tupleOf, type Skb } from './skb.js';

const listen = (local: string, queue = '0 128'): string => `tcp LISTEN ${queue} ${local} 0.0.0.0:*\n`;
const bind = (local: string): string => `udp UNCONN 0 0 ${local} 0.0.0.0:*\n`;
const TO_80 = tcp('10.0.0.1:40000 > 10.0.0.2:80');
const TO_80_V6 = tcp('[fd00::1]:40000 > [fd00::2]:80');

function show(result: ListenerResult): string {
  if (result.kind === 'socket') return result.socket.text.split(' ')[4] ?? '';
  return result.kind === 'none' ? result.code : 'unknown';
}

function find(sockets: string, skb: Skb, iif = 'eth0'): ListenerResult {
  return findListener(sketchNamespace({ sockets }), skb, iif);
}

describe('findListener', () => {
  it.each([
    { title: 'any address', sockets: listen('0.0.0.0:80'), skb: TO_80, result: '0.0.0.0:80' },
    { title: 'the very address', sockets: listen('10.0.0.2:80'), skb: TO_80, result: '10.0.0.2:80' },
    { title: 'a dual-stack socket for IPv4', sockets: listen('*:80'), skb: TO_80, result: '*:80' },
    { title: 'a dual-stack socket for IPv6', sockets: listen('*:80'), skb: TO_80_V6, result: '*:80' },
    { title: 'a mapped address', sockets: listen('[::ffff:10.0.0.2]:80'), skb: TO_80, result: '[::ffff:10.0.0.2]:80' },
    {
      title: 'the very address before any',
      sockets: listen('0.0.0.0:80') + listen('10.0.0.2:80'),
      skb: TO_80,
      result: '10.0.0.2:80',
    },
    { title: 'datagrams', sockets: bind('0.0.0.0:53'), skb: udp('10.0.0.1:1 > 10.0.0.2:53'), result: '0.0.0.0:53' },
    { title: 'IPv6', sockets: listen('[::]:80'), skb: TO_80_V6, result: '[::]:80' },
    { title: 'its own interface', sockets: listen('0.0.0.0%eth0:80'), skb: TO_80, result: '0.0.0.0%eth0:80' },
    { title: 'nothing at all', sockets: '', skb: TO_80, result: 'NO_LISTENER' },
    { title: 'another port', sockets: listen('0.0.0.0:81'), skb: TO_80, result: 'NO_LISTENER' },
    { title: 'another protocol', sockets: bind('0.0.0.0:80'), skb: TO_80, result: 'NO_LISTENER' },
    { title: 'another address', sockets: listen('10.0.0.3:80'), skb: TO_80, result: 'NO_LISTENER' },
    { title: 'loopback only', sockets: listen('127.0.0.1:80'), skb: TO_80, result: 'LISTENER_LOOPBACK_ONLY' },
    { title: 'IPv6 loopback only', sockets: listen('[::1]:80'), skb: TO_80_V6, result: 'LISTENER_LOOPBACK_ONLY' },
    { title: 'the other family', sockets: listen('[::]:80'), skb: TO_80, result: 'LISTENER_WRONG_FAMILY' },
    { title: 'the other family, too', sockets: listen('0.0.0.0:80'), skb: TO_80_V6, result: 'LISTENER_WRONG_FAMILY' },
    {
      title: 'another interface',
      sockets: listen('0.0.0.0%eth1:80'),
      skb: TO_80,
      result: 'LISTENER_BOUND_TO_DEVICE',
    },
    {
      title: 'a full backlog',
      sockets: listen('0.0.0.0:80', '129 128'),
      skb: TO_80,
      result: 'LISTENER_BACKLOG_FULL',
    },
    { title: 'a backlog at its limit', sockets: listen('0.0.0.0:80', '128 128'), skb: TO_80, result: '0.0.0.0:80' },
  ])('$title: $result', ({ sockets, skb, result }) => {
    expect(show(find(sockets, skb))).toBe(result);
  });

  it('finds loopback sockets for packets to loopback', () => {
    expect(show(find(listen('127.0.0.1:80'), tcp('127.0.0.1:40000 > 127.0.0.1:80'), 'lo'))).toBe('127.0.0.1:80');
  });

  it('says why it cannot tell', () => {
    const ns = sketchNamespace({ without: ['ss-listen.txt'] });
    const error = icmpError('10.0.0.1', '10.0.0.2', 3, 3, tupleOf(TO_80));

    expect(findListener(ns, TO_80, 'eth0')).toEqual({ kind: 'unknown', reason: 'not collected' });
    expect(find('', error)).toEqual({ kind: 'unknown', reason: 'not a protocol with ports' });
  });

  it('shows what listens instead, with the very line of ss', () => {
    const other = find(listen('0.0.0.0:9090') + listen('0.0.0.0:443') + listen('[::]:443'), TO_80);
    const loopback = find(listen('127.0.0.1:80'), TO_80);

    expect(other).toMatchObject({
      evidence: { kind: 'socket', locator: 'ss/tcp/80', text: 'no tcp socket on port 80; there are: 443, 9090' },
      details: { port: 80, listeners: '443, 9090' },
    });
    expect(loopback).toMatchObject({ evidence: { text: 'tcp LISTEN 0 128 127.0.0.1:80 0.0.0.0:*' } });
    expect(find(listen('0.0.0.0:80'), TO_80)).toMatchObject({
      evidence: { locator: 'ss/tcp/10.0.0.2:80', text: 'tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*' },
    });
  });
});
