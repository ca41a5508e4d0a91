import { existsSync } from 'node:fs';
import { attempt, must } from './command.js';

/** Everything made here carries this name and the pid of its maker: a later run removes what a crashed one left, and runs do not disturb each other. */
const PREFIX = 'hopdiff-';

export function namespaceName(name: string): string {
  return `${PREFIX}${process.pid}-${name}`;
}

/** The words that run a command inside. */
export function inside(name: string): readonly string[] {
  return ['ip', 'netns', 'exec', namespaceName(name)];
}

export function addNamespace(name: string): void {
  must(['ip', 'netns', 'add', namespaceName(name)]);
}

/** Interfaces, rules, routes and connections vanish with their namespace. */
export function removeNamespaces(): void {
  for (const line of must(['ip', 'netns', 'list']).split('\n')) {
    const [name = ''] = line.split(' ');
    const [, maker] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (maker === undefined) continue;
    if (Number(maker) === process.pid || !existsSync(`/proc/${maker}`)) attempt(['ip', 'netns', 'delete', name]);
  }
}

export function writeSysctls(name: string, values: Readonly<Record<string, string | number>>): void {
  const words = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  must([...inside(name), 'sysctl', '-qw', ...words]);
}
