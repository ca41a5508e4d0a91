import { HopscopeError } from '#libs/model';

/** Why the collector script ended as it did, from its exit status (they are listed in its head) and the end of what it said. */
export function explainExit(node: string, status: number, said: string): HopscopeError {
  const tail = said
    .trim()
    .split('\n')
    .slice(-5)
    .join('; ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 600);
  const fail = (code: string, message: string, retryable = false) =>
    new HopscopeError(code, `node ${node}: ${message}${tail === '' ? '' : ` (it said: ${tail})`}`, { retryable });
  switch (status) {
    case 69:
      return fail('COLLECTOR_TOOL_MISSING', 'the collector lacks a tool that it needs; use an image that has it');
    case 73:
      return fail('COLLECTOR_NO_ROOM', 'the collector has no folder for temporary files; give it a writable /tmp');
    case 77:
      return fail(
        'COLLECTOR_NOT_ALLOWED',
        'the collector may not enter the network namespace of the node; it needs root, privileged and hostPID',
      );
    case 126:
    case 127:
      return fail('COLLECTOR_TOOL_MISSING', 'the image of the collector has no POSIX shell `sh`');
    case 137:
    case 143:
      return fail('COLLECTOR_KILLED', 'the collector was killed (out of memory, or its time was up)', true);
    default:
      return fail('COLLECTOR_FAILED', `the collector script ended with status ${status}`);
  }
}
