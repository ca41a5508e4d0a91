import { DumpError } from './dump-file.js';

/** A filter of a clsact or ingress qdisc, in the order in which the kernel asks. */
export interface TcFilter {
  readonly dev: string;
  readonly direction: 'ingress' | 'egress';
  /** `all` or an ethertype name such as ip. */
  readonly protocol: string;
  readonly kind: string;
  readonly directAction: boolean;
  /** Classic BPF, when tc prints it. */
  readonly bytecode?: readonly BpfInstruction[];
  readonly text: string;
}

/** struct sock_filter. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/**
 * `tc filter show` outputs, each behind a line `# <dev> ingress|egress`, or each line with `dev <dev> ingress|egress: ` before it.
 * Lines of `tc qdisc show` are passed over.
 */
export function parseTc(text: string): TcFilter[] {
  const filters: TcFilter[] = [];
  let dev: string | undefined;
  let direction: 'ingress' | 'egress' = 'ingress';
  for (const [index, raw] of text.split('\n').entries()) {
    const prefixed = /^dev (\S+) (ingress|egress): (.*)$/.exec(raw.trim());
    const line = prefixed?.[3]?.trim() ?? raw.trim();
    if (prefixed !== null) {
      dev = prefixed[1];
      direction = prefixed[2] === 'egress' ? 'egress' : 'ingress';
    }
    const header = /^# (\S+) (ingress|egress)$/.exec(line);
    if (header !== null) {
      dev = header[1];
      direction = header[2] === 'egress' ? 'egress' : 'ingress';
    } else if (line.startsWith('filter ') && line.includes(' handle ')) {
      if (dev === undefined) throw new DumpError(`tc.txt:${index + 1}`, 'a filter before its "# dev direction" line');
      filters.push(toFilter(dev, direction, line, index + 1));
    }
  }
  return filters;
}

function toFilter(dev: string, direction: 'ingress' | 'egress', line: string, number: number): TcFilter {
  const words = line.split(/\s+/);
  const protocol = words[words.indexOf('protocol') + 1] ?? 'all';
  const kind = words[words.indexOf('pref') + 2] ?? 'unknown';
  const bytecode = /bytecode '([^']*)'/.exec(line)?.[1];
  return {
    dev,
    direction,
    protocol,
    kind,
    directAction: words.includes('direct-action'),
    ...(bytecode === undefined ? {} : { bytecode: parseBytecode(bytecode, number) }),
    text: line,
  };
}

/** `6,40 0 0 12,21 0 3 2048,...`: the count, then code, jt, jf and k of each instruction. */
function parseBytecode(text: string, number: number): BpfInstruction[] {
  const [count, ...rest] = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const program = rest.map((part) => {
    const [code = Number.NaN, jt = Number.NaN, jf = Number.NaN, k = Number.NaN] = part.split(' ').map(Number);
    return { code, jt, jf, k };
  });
  // BPF_MAXINSNS is 4096.
  if (
    program.length !== Number(count) ||
    program.length > 4096 ||
    program.some(({ code, k }) => Number.isNaN(code) || Number.isNaN(k))
  )
    throw new DumpError(`tc.txt:${number}`, 'the bytecode is not a classic BPF program');
  return program;
}
