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

export function readObjects(text: string): KubernetesObject[] {
  return List.parse(JSON.parse(text)).items;
}

/** The recorded objects as libs/cluster indexes them; pods only where they were recorded. */
export function readClusterIndex(folder: string): ClusterIndex {
  const names = ['nodes', 'services', 'endpointslices', 'pods', 'configmaps'];
  return clusterOf(
    names.flatMap((name): KubernetesObject[] => {
      const text = readRecorded(join(folder, 'api', `${name}.json`));
      return text === undefined ? [] : readObjects(text);
    }),
  );
}

/** Objects without any dump. */
export function clusterOf(objects: readonly KubernetesObject[]): ClusterIndex {
  return new ClusterIndex({
    cluster: 'recorded',
    takenAt: '2026-11-24T00:00:00Z',
    collector: 'recording',
    nodes: new Map(),
    objects,
    cloud: undefined,
    underlay: undefined,
    dumps: [],
  });
}
