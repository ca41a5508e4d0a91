import { z } from 'zod';
import type { DiagnosisRequest } from './diagnosis.js';
import { formatEndpointRef, parseEndpointRef } from './endpoint.js';
import { HopscopeError, type InputProblem } from './errors.js';

// RFC 6335 §5.1: what Kubernetes accepts as a port name.
const PORT_NAME = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;

const Port = z
  .union([z.number(), z.string()], 'must be a port 1-65535 or the name of a service port')
  .superRefine((port, context) => {
    const fine = typeof port === 'number' ? Number.isInteger(port) && port >= 1 && port <= 65535 : PORT_NAME.test(port);
    if (!fine)
      context.addIssue({
        code: 'custom',
        message: 'must be a port 1-65535 or the name of a service port',
        params: { code: 'INVALID_PORT' },
      });
  });

/** One question as users write it: CLI line, API body, upload. */
export const PairInput = z.strictObject({
  id: z.union([z.string().max(256), z.number()], 'must be text of at most 256 characters, or a number').optional(),
  source: reference(),
  destination: reference(),
  port: Port,
  protocol: z.enum(['tcp', 'udp'], 'must be "tcp" or "udp"').default('tcp'),
  sourcePort: z
    .number('must be a port 1-65535')
    .int('must be a port 1-65535')
    .min(1, 'must be a port 1-65535')
    .max(65535, 'must be a port 1-65535')
    .optional(),
});
export type PairInput = z.input<typeof PairInput>;

function reference() {
  return z
    .string('must be a reference such as pod/<namespace>/<name> or an IP')
    .max(512, 'is longer than 512 characters')
    .superRefine((text, context) => {
      try {
        parseEndpointRef(text);
      } catch (error) {
        if (!(error instanceof HopscopeError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, params: { code: error.code } });
      }
    });
}

/** Throws HopscopeError INVALID_PAIR with every problem; paths are JSON pointers below `at`. */
export function parsePair(input: unknown, at = ''): DiagnosisRequest & { readonly id?: string | number } {
  const parsed = PairInput.safeParse(input);
  if (!parsed.success) {
    const problems = zodProblems(parsed.error, at);
    throw new HopscopeError('INVALID_PAIR', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), {
      problems,
    });
  }
  const { id, source, destination, port, protocol, sourcePort } = parsed.data;
  return {
    ...(id === undefined ? {} : { id }),
    source: parseEndpointRef(source),
    destination: parseEndpointRef(destination),
    port,
    protocol,
    ...(sourcePort === undefined ? {} : { sourcePort }),
  };
}

/** The request as asked, normalised: what a pair key is made of. */
export interface NormalPair {
  readonly source: string;
  readonly destination: string;
  readonly port: number | string;
  readonly protocol: 'tcp' | 'udp';
  readonly sourcePort?: number;
}

export function normalisePair(request: DiagnosisRequest): NormalPair {
  return {
    source: formatEndpointRef(request.source),
    destination: formatEndpointRef(request.destination),
    port: request.port,
    protocol: request.protocol,
    ...(request.sourcePort === undefined ? {} : { sourcePort: request.sourcePort }),
  };
}

function pointerPart(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Every zod issue as an InputProblem with a JSON pointer (RFC 6901). */
export function zodProblems(error: z.ZodError, at = ''): InputProblem[] {
  return error.issues.flatMap((issue): InputProblem[] => {
    const path = `${at}${issue.path.map((part) => `/${pointerPart(String(part))}`).join('')}`;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: `${path}/${pointerPart(key)}`,
        code: 'UNKNOWN_FIELD',
        message: 'is not a known field',
      }));
    const code =
      issue.code === 'custom' && typeof issue.params?.code === 'string' ? issue.params.code : issue.code.toUpperCase();
    return [{ path: path === '' ? '/' : path, code, message: issue.message }];
  });
}
