import { HopscopeError } from '#libs/model';
import { assembleFiles } from '#libs/snapshot-archive';
import { POD_OUTCOMES, type NodeDump, type PodOutcome, type PodReport } from './node-dump.js';
import { unpackStream, type StreamLimits } from './unpack-stream.js';

const OUTCOMES: ReadonlyMap<string, PodOutcome> = new Map(POD_OUTCOMES.map((outcome) => [outcome, outcome]));

/**
 * Reads what the collector script writes (a tar, its lines where tar is missing, or either through gzip). A stream that was cut off is
 * read as far as it goes. Throws COLLECTOR_OUTPUT_INVALID when it is no such stream, COLLECTOR_OUTPUT_TOO_LARGE beyond the limits.
 */
export async function readNodeDump(
  stream: AsyncIterable<Uint8Array>,
  limits: Partial<StreamLimits> = {},
): Promise<NodeDump> {
  const { files, truncated, bytes } = await unpackStream(stream, limits);
  if (!files.has('snapshot.json'))
    throw new HopscopeError(
      'COLLECTOR_OUTPUT_INVALID',
      bytes === 0
        ? 'the collector sent nothing'
        : 'what the collector sent does not begin with snapshot.json: is something else printing to its standard output?',
    );
  const snapshot = assembleFiles(files);
  const [[node, state] = ['', undefined]] = [...snapshot.nodes];
  return {
    node,
    takenAt: snapshot.takenAt,
    error: state?.error ?? null,
    pods: parseReport(files.get('collect-report.txt')?.toString('utf8') ?? ''),
    dumps: snapshot.dumps,
    truncated,
    bytes,
  };
}

/** `<outcome> <namespace or "-">/<name> <detail>` */
function parseReport(text: string): PodReport[] {
  return text.split('\n').flatMap((line): PodReport[] => {
    const [word = '', pod = '', ...detail] = line.trim().split(' ');
    const outcome = OUTCOMES.get(word);
    const [namespace = '', name = ''] = pod.split('/');
    if (outcome === undefined || name === '') return [];
    return [
      {
        outcome,
        ...(namespace === '-' ? {} : { namespace }),
        name,
        ...(detail.length === 0 ? {} : { detail: detail.join(' ') }),
      },
    ];
  });
}
