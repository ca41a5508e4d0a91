import { frameOf } from '../tc/frame.js';
import { runBpf } from '../tc/bpf.js';
import { tcp, udp } from '../../../../test/fixtures/packets.js';
import { parseTc } from './tc.js';

const FILTER = "filter protocol all pref 49152 bpf chain 0 handle 0x1 direct-action not_in_hw bytecode '1,6 0 0 2'";

describe('parseTc', () => {
  it.each([
    {
      title: 'behind a header line',
      text: `qdisc clsact ffff: dev v0 parent ffff:fff1\n# v0 ingress\nfilter protocol all pref 49152 bpf chain 0 \n${FILTER}\n`,
    },
    {
      title: 'with the device before each line',
      text: `dev v0 ingress: filter protocol all pref 49152 bpf chain 0 \ndev v0 ingress: ${FILTER}\n`,
    },
  ])('reads a filter $title', ({ text }) => {
    expect(parseTc(text)).toEqual([
      expect.objectContaining({
        dev: 'v0',
        direction: 'ingress',
        kind: 'bpf',
        directAction: true,
        bytecode: [{ code: 6, jt: 0, jf: 0, k: 2 }],
      }),
    ]);
  });

  it.each([
    { text: FILTER, error: 'tc.txt:1: a filter before its' },
    {
      text: `# v0 egress\n${FILTER.replace('1,6 0 0 2', '2,6 0 0 2')}`,
      error: 'tc.txt:2: the bytecode is not a classic BPF program',
    },
  ])('names file and line: $error', ({ text, error }) => {
    expect(() => parseTc(text)).toThrow(error);
  });
});

describe('runBpf', () => {
  // Drops TCP of IPv4 (2 is TC_ACT_SHOT), passes everything else on: what bpf_asm makes of "ldh [12]; jne #0x800; ldb [23]; jne #6".
  const program = [
    { code: 40, jt: 0, jf: 0, k: 12 },
    { code: 21, jt: 0, jf: 3, k: 0x800 },
    { code: 48, jt: 0, jf: 0, k: 23 },
    { code: 21, jt: 0, jf: 1, k: 6 },
    { code: 6, jt: 0, jf: 0, k: 2 },
    { code: 6, jt: 0, jf: 0, k: 0xffffffff },
  ];
  const run = (skb: ReturnType<typeof tcp>) =>
    runBpf(program, { ...frameOf(skb, '02:00:00:00:00:01', '02:00:00:00:00:02'), ancillary: new Map() });

  it('sees the headers of the frame', () => {
    expect(run(tcp('10.0.0.1:40000 > 10.0.0.2:80 SYN'))).toBe(2);
    expect(run(udp('10.0.0.1:40000 > 10.0.0.2:53'))).toBe(0xffffffff);
  });

  it('gives 0 for a load beyond the packet, and nothing for what it does not know', () => {
    const context = { bytes: new Uint8Array(4), networkOffset: 0, ancillary: new Map<number, number>() };

    expect(
      runBpf(
        [
          { code: 32, jt: 0, jf: 0, k: 100 },
          { code: 6, jt: 0, jf: 0, k: 7 },
        ],
        context,
      ),
    ).toBe(0);
    expect(runBpf([{ code: 32, jt: 0, jf: 0, k: -0x1000 + 44 }], context)).toBeUndefined();
  });
});
