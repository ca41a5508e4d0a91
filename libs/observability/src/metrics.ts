import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Everything that is measured. Labels never carry pod names or ids: their number would grow without end. */
export interface Metrics {
  readonly registry: Registry;
  readonly httpRequests: Counter<'method' | 'route' | 'status'>;
  readonly httpDuration: Histogram<'method' | 'route'>;
  readonly diagnoses: Counter<'provider' | 'verdict'>;
  readonly jobs: Counter<'queue' | 'outcome'>;
  readonly jobDuration: Histogram<'queue'>;
  readonly cachedNetworks: Gauge<'provider'>;
}

/** A registry of its own: two servers in one process (tests, standalone) do not collide. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    httpRequests: new Counter({
      name: 'hopscope_http_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    httpDuration: new Histogram({
      name: 'hopscope_http_request_duration_seconds',
      help: 'Time from request to end of answer.',
      labelNames: ['method', 'route'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    }),
    diagnoses: new Counter({
      name: 'hopscope_diagnoses_total',
      help: 'Diagnoses made by this process.',
      labelNames: ['provider', 'verdict'],
      registers,
    }),
    jobs: new Counter({
      name: 'hopscope_jobs_total',
      help: 'Jobs ended by this process.',
      labelNames: ['queue', 'outcome'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'hopscope_job_duration_seconds',
      help: 'Time that a job took.',
      labelNames: ['queue'],
      buckets: [0.01, 0.05, 0.2, 1, 5, 20, 60, 300],
      registers,
    }),
    cachedNetworks: new Gauge({
      name: 'hopscope_cached_networks_count',
      help: 'Networks of snapshots held in memory.',
      labelNames: ['provider'],
      registers,
    }),
  };
}
