import { z } from 'zod';
import type { Prisma } from './generated/client.js';
import { storable } from './storable.js';

/** JSON values as Prisma takes them. */
const StorableInput = z.custom<Prisma.InputJsonValue>((value) => value !== undefined && value !== null);

export function jsonInput(value: object): Prisma.InputJsonValue {
  return StorableInput.parse(storable(value));
}

/** For columns that only this room writes: the shape was checked by the compiler when it was written. */
export function ownJson<T>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null);
}
