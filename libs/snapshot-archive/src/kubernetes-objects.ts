import { zodProblems, type KubernetesObject } from '#libs/model';
import { AnyObject, ObjectList } from './manifest.js';
import { printable, type Problems } from './problems.js';

const FILE = 'kubernetes.json';

/** The items of kubernetes.json. A Secret is refused, whatever is in it: snapshots are stored and passed on. */
export function parseObjects(json: unknown, problems: Problems): readonly KubernetesObject[] {
  const list = ObjectList.safeParse(json);
  if (!list.success) {
    problems.add('SNAPSHOT_NOT_A_LIST', FILE, 'must be one v1 List of objects: {"kind": "List", "items": [...]}');
    return [];
  }
  if (list.data.kind?.startsWith('Secret') === true) refuseSecret('', list.data.kind, problems);
  const objects: KubernetesObject[] = [];
  for (const [index, item] of list.data.items.entries()) {
    if (refusedAsSecret(item, index, problems)) continue;
    const object = AnyObject.safeParse(item);
    if (object.success) objects.push(object.data);
    else
      for (const problem of zodProblems(object.error, `/items/${index}`))
        problems.add('SNAPSHOT_OBJECT_INVALID', `${FILE}:${problem.path}`, problem.message);
  }
  return objects;
}

function refusedAsSecret(item: unknown, index: number, problems: Problems): boolean {
  if (typeof item !== 'object' || item === null || !('kind' in item)) return false;
  const { kind } = item;
  if (kind !== 'Secret' && kind !== 'SecretList') return false;
  refuseSecret(`:/items/${index}`, kind, problems);
  return true;
}

function refuseSecret(pointer: string, kind: string, problems: Problems): void {
  problems.add(
    'SNAPSHOT_HAS_SECRET',
    `${FILE}${pointer}`,
    `is a ${printable(kind)}; a snapshot holds no Secret, ever: collect again without them`,
  );
}
