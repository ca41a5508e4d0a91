import { gunzipSync, gzipSync } from 'node:zlib';
import type { Random } from './random.js';

const BLOCK = 512;

/** A .tar.gz whose bytes, or whose tar inside, are damaged. */
export function mutateArchive(archive: Buffer, random: Random): Buffer {
  if (random.chance(0.3)) return damage(archive, random);
  const tar = gunzipSync(archive);
  const mutated = random.chance(0.7) ? damageHeaders(tar, random) : damage(tar, random);
  return gzipSync(mutated, { level: 1 });
}

function damage(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  switch (random.below(4)) {
    case 0:
      return copy.subarray(0, random.below(copy.length));
    case 1:
      return Buffer.concat([copy, copy.subarray(random.below(copy.length))]);
    case 2: {
      const at = random.below(copy.length);
      copy.fill(random.below(256), at, Math.min(copy.length, at + random.below(2_000)));
      return copy;
    }
    default:
      for (let flips = 1 + random.below(8); flips > 0; flips--) {
        const at = random.below(copy.length);
        copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      }
      return copy;
  }
}

/** Fields of the ustar header (POSIX pax): offset and length. */
const FIELDS = {
  name: [0, 100],
  size: [124, 12],
  typeflag: [156, 1],
  linkname: [157, 100],
  prefix: [345, 155],
} as const;
const NAMES = [
  '/etc/passwd',
  '../x',
  'nodes/../../x',
  'snapshot.json',
  'nodes/a/meta.json',
  '\0',
  'a\\b',
  'C:/x',
  '././@PaxHeader',
];
const SIZES = ['77777777777', '00000000000', '-0000000001', 'zzzzzzzzzzz', '00000000777', '10000000000'];

/** Changes fields of some entries and makes their checksums right again: what gets through the first check. */
function damageHeaders(tar: Buffer, random: Random): Buffer {
  const copy = Buffer.from(tar);
  const headers = headersOf(copy);
  for (let count = 1 + random.below(3); count > 0 && headers.length > 0; count--) {
    const header = random.pick(headers);
    const put = (field: keyof typeof FIELDS, text: string): void => {
      const [offset, length] = FIELDS[field];
      header.fill(0, offset, offset + length);
      header.write(text.slice(0, length), offset, 'latin1');
    };
    switch (random.below(5)) {
      case 0:
        put('name', random.pick(NAMES));
        break;
      case 1:
        put('size', random.pick(SIZES));
        break;
      case 2:
        put('typeflag', random.pick(['0', '1', '2', '3', '5', '6', 'x', 'g', 'L', 'K', 'S', 'Z', '\0']));
        break;
      case 3:
        put('prefix', 'p/'.repeat(random.below(70)));
        break;
      default:
        put('linkname', '/etc/passwd');
        put('typeflag', random.pick(['1', '2']));
    }
    signHeader(header);
  }
  return copy;
}

function headersOf(tar: Buffer): Buffer[] {
  const headers: Buffer[] = [];
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.toString('latin1', 257, 262) !== 'ustar') break;
    headers.push(header);
    const size = parseInt(header.toString('latin1', 124, 135), 8);
    at += BLOCK + Math.ceil((Number.isFinite(size) ? size : 0) / BLOCK) * BLOCK;
  }
  return headers;
}

function signHeader(header: Buffer): void {
  header.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
