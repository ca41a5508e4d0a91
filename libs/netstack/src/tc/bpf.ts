import type { BpfInstruction } from '../parse/tc.js';

/** What a program may ask beside the bytes: the SKF_AD_* fields of linux/filter.h, by offset. */
export interface BpfContext {
  readonly bytes: Uint8Array;
  /** Where the network header starts, for SKF_NET_OFF. */
  readonly networkOffset: number;
  readonly ancillary: ReadonlyMap<number, number>;
}

const SKF_AD_OFF = -0x1000;
const SKF_NET_OFF = -0x100000;

/**
 * Runs a classic BPF program (Documentation/networking/filter.rst); gives the returned number as unsigned 32 bits.
 * A load beyond the packet returns 0, as the kernel does. undefined: it asks for something that is not modelled.
 */
export function runBpf(program: readonly BpfInstruction[], context: BpfContext): number | undefined {
  let a = 0;
  let x = 0;
  const memory = new Uint32Array(16);
  for (let pc = 0; pc < program.length; pc++) {
    const instruction = program[pc];
    if (instruction === undefined) return undefined;
    const { code, jt, jf, k } = instruction;
    switch (code & 7) {
      case 0: {
        // LD
        const value = load(code, k, x, memory, context);
        if (value === 'beyond') return 0;
        if (value === undefined) return undefined;
        a = value;
        break;
      }
      case 1: {
        // LDX
        const value = loadIndex(code, k, memory, context);
        if (value === 'beyond') return 0;
        if (value === undefined) return undefined;
        x = value;
        break;
      }
      case 2:
        memory[k & 15] = a;
        break;
      case 3:
        memory[k & 15] = x;
        break;
      case 4: {
        const value = compute(code, a, code & 8 ? x : k >>> 0);
        if (value === 'divided by zero') return 0;
        if (value === undefined) return undefined;
        a = value;
        break;
      }
      case 5: {
        if ((code & 0xf0) === 0) {
          pc += k >>> 0;
          break;
        }
        const taken = compare(code, a, code & 8 ? x : k >>> 0);
        if (taken === undefined) return undefined;
        pc += taken ? jt : jf;
        break;
      }
      case 6:
        return (code & 0x18) === 0x10 ? a : k >>> 0;
      case 7:
        if (code & 0x80) a = x;
        else x = a;
        break;
      default:
        return undefined;
    }
  }
  return undefined;
}

type Loaded = number | 'beyond' | undefined;

function load(code: number, k: number, x: number, memory: Uint32Array, context: BpfContext): Loaded {
  const size = { 0x00: 4, 0x08: 2, 0x10: 1 }[code & 0x18];
  switch (code & 0xe0) {
    case 0x00:
      return k >>> 0;
    case 0x20:
      return size === undefined ? undefined : at(context, k | 0, size);
    case 0x40:
      return size === undefined ? undefined : at(context, (k + x) | 0, size);
    case 0x60:
      return memory[k & 15];
    case 0x80:
      return context.bytes.length;
    default:
      return undefined;
  }
}

function loadIndex(code: number, k: number, memory: Uint32Array, context: BpfContext): Loaded {
  switch (code & 0xe0) {
    case 0x00:
      return k >>> 0;
    case 0x60:
      return memory[k & 15];
    case 0x80:
      return context.bytes.length;
    case 0xa0: {
      // The length of an IPv4 header: 4 * (byte & 15).
      const byte = at(context, k | 0, 1);
      return typeof byte === 'number' ? 4 * (byte & 15) : byte;
    }
    default:
      return undefined;
  }
}

function at(context: BpfContext, offset: number, size: number): Loaded {
  if (offset >= SKF_AD_OFF && offset < 0) return context.ancillary.get(offset - SKF_AD_OFF);
  const start = offset < 0 ? offset - SKF_NET_OFF + context.networkOffset : offset;
  if (start < 0 || start + size > context.bytes.length) return 'beyond';
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (context.bytes[start + i] ?? 0);
  return value;
}

function compute(code: number, a: number, b: number): number | 'divided by zero' | undefined {
  switch (code & 0xf0) {
    case 0x00:
      return (a + b) >>> 0;
    case 0x10:
      return (a - b) >>> 0;
    case 0x20:
      return Math.imul(a, b) >>> 0;
    case 0x30:
      return b === 0 ? 'divided by zero' : Math.floor(a / b);
    case 0x40:
      return (a | b) >>> 0;
    case 0x50:
      return (a & b) >>> 0;
    case 0x60:
      return (a << b) >>> 0;
    case 0x70:
      return a >>> b;
    case 0x80:
      return -a >>> 0;
    case 0x90:
      return b === 0 ? 'divided by zero' : a % b;
    case 0xa0:
      return (a ^ b) >>> 0;
    default:
      return undefined;
  }
}

function compare(code: number, a: number, b: number): boolean | undefined {
  switch (code & 0xf0) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0;
    default:
      return undefined;
  }
}
