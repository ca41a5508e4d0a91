import { cliPage } from './cli-page.js';
import { configPage } from './config-page.js';
import { httpPage } from './http-page.js';
import { jobsPage } from './jobs-page.js';
import { netfilterPage } from './netfilter-page.js';
import type { ReferencePage } from './page.js';
import { resultsPage } from './results-page.js';
import { snapshotPage } from './snapshot-page.js';
import { suspicionsPage } from './suspicions-page.js';

export const REFERENCE_PAGES: readonly ReferencePage[] = [
  suspicionsPage,
  resultsPage,
  configPage,
  jobsPage,
  cliPage,
  httpPage,
  snapshotPage,
  netfilterPage,
];
