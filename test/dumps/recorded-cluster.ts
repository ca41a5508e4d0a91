import { join } from 'node:path';
import { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';
import { readRecorded } from './recorded-file.js';

const Item = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const List = z.looseObject({ items: z.array(Item) });

/** The recorded objects as libs/cluster indexes them; pods only where they were recorded. */
export function readClusterIndex(folder: string): ClusterIndex {
  const objects = ['nodes', 'services', 'endpointslices', 'pods', 'configmaps'].flatMap((name): KubernetesObject[] => {
    const text = readRecorded(join(folder, 'api', `${name}.json`));
    return text === undefined ? [] : List.parse(JSON.parse(text)).items;
  });
  return new ClusterIndex({
    cluster: folder,
    takenAt: '2026-11-24T00:00:00Z',
    collector: 'recording',
    nodes: new Map(),
    objects,
    cloud: undefined,
    underlay: undefined,
    dumps: [],
  });
}
