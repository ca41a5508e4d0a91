import { configKeys, type ConfigKey } from './config-key.js';
import type { ConfigSection } from './define-config.js';

/** The section as a Markdown table, for docs/reference/config.md. */
export function configTable(section: ConfigSection<unknown>): string {
  const rows = configKeys(section).map(
    (key) => `| \`${key.env}\` | \`${key.flag}\` | ${defaultText(key)} | ${key.description.replaceAll('|', '\\|')} |`,
  );
  return [
    `## ${section.title}`,
    '',
    '| environment | flag | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function defaultText(key: ConfigKey): string {
  if (key.required) return '(required)';
  if (key.default === undefined) return '';
  return key.secret ? '(set)' : `\`${typeof key.default === 'string' ? key.default : JSON.stringify(key.default)}\``;
}
