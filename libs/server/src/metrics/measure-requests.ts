import type { Metrics } from '#libs/observability';
import type { NextFunction, Request, Response } from 'express';

/** Express middleware. The route's pattern is the label, never the path: paths carry ids. */
export function measureRequests(metrics: Metrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const stop = metrics.httpDuration.startTimer();
    response.once('close', () => {
      const route = routeOf(request);
      metrics.httpRequests.inc({ method: request.method, route, status: String(response.statusCode) });
      stop({ method: request.method, route });
    });
    next();
  };
}

function routeOf(request: Request): string {
  const route: unknown = request.route;
  if (typeof route === 'object' && route !== null && 'path' in route && typeof route.path === 'string')
    return route.path;
  return request.baseUrl.startsWith('/queues') ? '/queues' : 'none';
}
