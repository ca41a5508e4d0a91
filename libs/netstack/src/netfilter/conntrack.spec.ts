import { formatIp, formatSocket } from '#libs/model';
import * as fc from 'fast-check';
import { NamespaceLog } from '../../../../test/fixtures/namespace-log.js';
import { sketchNamespace } from '../../../../test/fixtures/namespace-sketch.js';
import { icmpError, ip, tcp, udp } from '../../../../test/fixtures/packets.js';
import { reverseTuple, tupleKey, tupleOf, type Skb } from '../skb.js';
import { applyDecided, ConntrackTable, translateDestination, translateSource } from './conntrack.js';

const FORTH = '10.0.0.1:40000 > 10.0.0.2:80';
const BACK = '10.0.0.2:80 > 10.0.0.1:40000';

/** Sends segments through one table and tells the state of each; INVALID is "no connection". */
function states(packets: readonly Skb[], loose = true): string[] {
  const table = new ConntrackTable();
  return packets.map((skb) => {
    table.track(skb, loose);
    table.confirm(skb);
    return skb.ct === undefined ? 'INVALID' : `${skb.ct.state}${skb.ct.reply ? ' reply' : ''}`;
  });
}

describe('ConntrackTable', () => {
  it.each([
    { title: 'a SYN starts a connection', packets: [tcp(FORTH)], seen: ['NEW'] },
    { title: 'a SYN again is still new', packets: [tcp(FORTH), tcp(FORTH)], seen: ['NEW', 'NEW'] },
    {
      title: 'the whole handshake and data',
      packets: [tcp(FORTH), tcp(`${BACK} SYN-ACK`), tcp(`${FORTH} ACK`), tcp(`${BACK} ACK-PSH`)],
      seen: ['NEW', 'ESTABLISHED reply', 'ESTABLISHED', 'ESTABLISHED reply'],
    },
    { title: 'a SYN-ACK without SYN is invalid', packets: [tcp(`${BACK} SYN-ACK`)], seen: ['INVALID'] },
    {
      title: 'an ACK after a SYN whose answer was not seen is invalid',
      packets: [tcp(FORTH), tcp(`${FORTH} ACK`)],
      seen: ['NEW', 'INVALID'],
    },
    {
      title: 'a SYN-ACK from the side of the SYN is invalid',
      packets: [tcp(FORTH), tcp(`${FORTH} SYN-ACK`)],
      seen: ['NEW', 'INVALID'],
    },
    { title: 'a RST that belongs to nothing is invalid', packets: [tcp(`${BACK} RST`)], seen: ['INVALID'] },
    { title: 'a FIN that belongs to nothing is invalid', packets: [tcp(`${FORTH} FIN`)], seen: ['INVALID'] },
    {
      title: 'a RST answers a SYN',
      packets: [tcp(FORTH), tcp(`${BACK} RST-ACK`)],
      seen: ['NEW', 'ESTABLISHED reply'],
    },
    { title: 'data in mid-stream is picked up', packets: [tcp(`${FORTH} ACK`)], seen: ['NEW'] },
    {
      title: 'data in mid-stream from both sides',
      packets: [tcp(`${BACK} ACK-PSH`), tcp(`${FORTH} ACK`)],
      seen: ['NEW', 'ESTABLISHED reply'],
    },
    {
      title: 'datagrams and their answers',
      packets: [udp(FORTH), udp(FORTH), udp(BACK), udp(FORTH)],
      seen: ['NEW', 'NEW', 'ESTABLISHED reply', 'ESTABLISHED'],
    },
    {
      title: 'another port is another connection',
      packets: [udp(FORTH), udp('10.0.0.2:81 > 10.0.0.1:40000')],
      seen: ['NEW', 'NEW'],
    },
    {
      title: 'an ICMP error about a known packet is related, from the other side',
      packets: [udp(FORTH), icmpError('10.0.0.9', '10.0.0.1', 3, 3, tupleOf(udp(FORTH)))],
      seen: ['NEW', 'RELATED reply'],
    },
    {
      title: 'an ICMP error about a packet that nobody saw is invalid',
      packets: [icmpError('10.0.0.9', '10.0.0.1', 3, 3, tupleOf(udp(FORTH)))],
      seen: ['INVALID'],
    },
    { title: 'an untracked packet has no state', packets: [tcp(FORTH, { untracked: true })], seen: ['INVALID'] },
  ])('$title', ({ packets, seen }) => {
    expect(states(packets)).toEqual(seen);
  });

  it('does not pick up data in mid-stream when nf_conntrack_tcp_loose is 0', () => {
    expect(states([tcp(`${FORTH} ACK`)], false)).toEqual(['INVALID']);
    expect(states([tcp(FORTH)], false)).toEqual(['NEW']);
  });

  it('forgets what was never confirmed: a packet that was dropped starts no connection', () => {
    const table = new ConntrackTable();
    const dropped = tcp(FORTH);
    table.track(dropped, true);
    const answer = tcp(`${BACK} SYN-ACK`);

    table.track(answer, true);

    expect(dropped.ct?.state).toBe('NEW');
    expect(answer.ct).toBeUndefined();
  });

  it('reads nf_conntrack_tcp_loose from the namespace', () => {
    const strict = new NamespaceLog(sketchNamespace({ sysctls: { 'net.netfilter.nf_conntrack_tcp_loose': 0 } }));
    const loose = new NamespaceLog(sketchNamespace());

    expect(strict.hook('PREROUTING', tcp(`${FORTH} ACK`)).ct).toBeUndefined();
    expect(loose.hook('PREROUTING', tcp(`${FORTH} ACK`)).ct?.state).toBe('NEW');
  });
});

/** The first packet of a connection, with what NAT decided for it. */
function translated(table: ConntrackTable, skb: Skb, source?: [string, number], destination?: [string, number]): Skb {
  table.track(skb, true);
  if (destination !== undefined) translateDestination(skb, ip(destination[0]), destination[1]);
  if (source !== undefined) translateSource(skb, ip(source[0]), source[1]);
  table.confirm(skb);
  return skb;
}

describe('translation of ICMP errors', () => {
  const seen = (error: Skb): string => {
    const quoted = error.icmp?.quoted;
    const about =
      quoted === undefined
        ? ''
        : `${formatSocket(quoted.src, quoted.sport)} > ${formatSocket(quoted.dst, quoted.dport)}`;
    return `to ${formatIp(error.dst)} about ${about}`;
  };

  it('leaves an error alone whose connection is not translated', () => {
    const table = new ConntrackTable();
    translated(table, udp(FORTH));
    const error = icmpError('10.0.0.9', '10.0.0.1', 3, 1, tupleOf(udp(FORTH)));

    table.track(error, true);

    expect([applyDecided(error, 'destination'), applyDecided(error, 'source')]).toEqual([false, false]);
    expect(seen(error)).toBe('to 10.0.0.1 about 10.0.0.1:40000 > 10.0.0.2:80');
  });
});

describe('translation of ICMP errors about translated packets', () => {
  const CLIENT = '10.244.1.2:40000';
  const ASKED = '10.96.0.10:53';

  it.each<{
    title: string;
    source?: [string, number];
    destination?: [string, number];
    wire: string;
    to: string;
    from: string;
  }>([
    {
      title: 'a destination',
      destination: ['10.244.2.2', 5353],
      wire: `${CLIENT} > 10.244.2.2:5353`,
      to: '10.244.1.2',
      from: '10.96.0.10',
    },
    {
      title: 'a source',
      source: ['10.10.0.11', 40001],
      wire: `10.10.0.11:40001 > ${ASKED}`,
      to: '10.244.1.2',
      from: '10.244.2.2',
    },
    {
      title: 'both',
      source: ['10.10.0.11', 40001],
      destination: ['10.244.2.2', 5353],
      wire: '10.10.0.11:40001 > 10.244.2.2:5353',
      to: '10.244.1.2',
      from: '10.96.0.10',
    },
  ])(
    'undoes the translation of $title, outside and in the packet that it quotes',
    ({ source, destination, wire, to, from }) => {
      const table = new ConntrackTable();
      const sent = translated(table, udp(`${CLIENT} > ${ASKED}`), source, destination);
      const error = icmpError('10.244.2.2', formatIp(sent.src), 3, 3, tupleOf(udp(wire)));

      table.track(error, true);
      applyDecided(error, 'destination');
      applyDecided(error, 'source');

      expect(error.ct).toMatchObject({ state: 'RELATED', reply: true });
      expect(formatIp(error.dst)).toBe(to);
      expect(formatIp(error.src)).toBe(from);
      expect(error.icmp?.quoted).toEqual(tupleOf(udp(`${CLIENT} > ${ASKED}`)));
    },
  );
});

describe('NAT and its reverse', () => {
  const address = fc.integer({ min: 1, max: 254 }).map((last): string => `10.9.0.${last}`);
  const port = fc.integer({ min: 1, max: 65535 });
  const end = fc.tuple(address, port);

  it('restores the packet of the answer, whatever source and destination became', () => {
    fc.assert(
      fc.property(
        end,
        end,
        fc.option(end),
        fc.option(end),
        fc.boolean(),
        (client, server, source, destination, isTcp) => {
          const make = isTcp ? tcp : udp;
          const table = new ConntrackTable();
          const first = translated(
            table,
            make(`${client.join(':')} > ${server.join(':')}`),
            source ?? undefined,
            destination ?? undefined,
          );
          const wire = reverseTuple(tupleOf(first));
          const answer: Skb = {
            ...make(`${server.join(':')} > ${client.join(':')}`),
            ...wire,
            tcpFlags: isTcp ? 0x12 : 0,
          };

          table.track(answer, true);
          applyDecided(answer, 'destination');
          applyDecided(answer, 'source');

          // Where the translation maps the connection onto itself the answer is its own request.
          fc.pre(tupleKey(wire) !== tupleKey(tupleOf(first)) && answer.ct?.reply === true);
          expect(tupleOf(answer)).toMatchObject({
            src: ip(server[0]),
            sport: server[1],
            dst: ip(client[0]),
            dport: client[1],
          });
        },
      ),
    );
  });

  it('translates later packets of the request as the first one was', () => {
    fc.assert(
      fc.property(end, end, fc.option(end), fc.option(end), (client, server, source, destination) => {
        const table = new ConntrackTable();
        const text = `${client.join(':')} > ${server.join(':')}`;
        const first = translated(table, udp(text), source ?? undefined, destination ?? undefined);
        const next = udp(text);

        table.track(next, true);
        fc.pre(next.ct?.reply === false);
        applyDecided(next, 'destination');
        applyDecided(next, 'source');

        expect(tupleOf(next)).toEqual(tupleOf(first));
      }),
    );
  });
});
