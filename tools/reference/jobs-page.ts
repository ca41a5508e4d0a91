import { JOBS, queueNames } from '#libs/queue';
import { z } from 'zod';
import { markdownTable, pageHead, type ReferencePage } from './page.js';

export const jobsPage: ReferencePage = {
  path: 'docs/reference/jobs.md',
  render: () => {
    const names = queueNames('<provider>');
    return [
      pageHead('Jobs', 'libs/queue/src/job-catalog.ts'),
      `Each provider has two queues: \`${names.bulk}\` for runs, and \`${names.interactive}\` for a single diagnosis that somebody waits for.`,
      'A job carries the id of a row; the row carries the request. Every job may run twice and its result is stored once.\n',
      ...Object.entries(JOBS).map(([name, job]) =>
        [
          `## ${name}\n`,
          markdownTable(
            ['option', 'value'],
            Object.entries(job.options).map(([option, value]) => [option, `\`${JSON.stringify(value)}\``]),
          ),
          `Payload:\n\n\`\`\`json\n${JSON.stringify(z.toJSONSchema(job.payload), null, 2)}\n\`\`\`\n`,
        ].join('\n'),
      ),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n');
  },
};
