import type { NamespaceDump } from '#libs/model';

// RFC 1123 as Kubernetes applies it: node and pod names are subdomains, namespaces are labels.
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HOST = /^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const MAX_NAME = 253;

export const FOLDERS = { nodes: 'node', pods: 'pod', external: 'external' } as const;
export type Folder = keyof typeof FOLDERS;

export function isFolder(text: string): text is Folder {
  return Object.hasOwn(FOLDERS, text);
}

export interface DumpName {
  readonly kind: NamespaceDump['kind'];
  readonly namespace?: string;
  readonly name: string;
}

/** What `nodes/<this>`, `pods/<this>` or `external/<this>` stands for; undefined when it cannot be such a name. */
export function parseFolderName(folder: Folder, text: string): DumpName | undefined {
  switch (folder) {
    case 'nodes':
      return fits(text, SUBDOMAIN) ? { kind: 'node', name: text } : undefined;
    case 'external':
      return fits(text, HOST) ? { kind: 'external', name: text } : undefined;
    case 'pods': {
      const cut = text.indexOf('_');
      const namespace = text.slice(0, Math.max(cut, 0));
      const name = text.slice(cut + 1);
      return LABEL.test(namespace) && fits(name, SUBDOMAIN) ? { kind: 'pod', namespace, name } : undefined;
    }
  }
}

export function formatFolderName(dump: DumpName): string {
  switch (dump.kind) {
    case 'node':
      return `nodes/${dump.name}`;
    case 'external':
      return `external/${dump.name}`;
    case 'pod':
      return `pods/${dump.namespace ?? ''}_${dump.name}`;
  }
}

function fits(text: string, pattern: RegExp): boolean {
  return text.length <= MAX_NAME && pattern.test(text);
}
