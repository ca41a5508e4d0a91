import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { requireMediaType } from '../http/json-body.guard.js';
import { ClusterChange, ClusterInput } from '../schemas/cluster.js';
import { ClustersService } from './clusters.service.js';

/** Ahead of the validation of bodies, which knows the schema but not what the provider says to the settings. */
@Injectable()
export class ClusterBodyGuard implements CanActivate {
  constructor(private readonly clusters: ClustersService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request<{ readonly name?: string }>>();
    requireMediaType(request, ['application/json', 'application/*+json']);
    const { name } = request.params;
    await this.clusters.checkBody(name === undefined ? ClusterInput : ClusterChange, request.body, name);
    return true;
  }
}
