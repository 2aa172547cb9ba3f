import { z } from 'zod';
import { ENGINE } from '../../../core/config/engine.js';

export const Problem = z.object({ error: z.string().describe('One sentence that names the field') });

export const Labels = z
  .record(z.string().min(1), z.string().regex(/^\d{1,15}$/, 'expected a version number'))
  .describe('Versions by label; replaces all labels of the model')
  .meta({ example: { stable: '1', canary: '2' } });

export const VersionPolicy = z
  .strictObject({ versionPolicy: ENGINE.versionPolicy.check.nullable() })
  .describe("latest, latest:N, all or specific:1,3; null for the nodes' own policy")
  .meta({ example: { versionPolicy: 'latest:2' } });

export const DirectiveOutcome = z.object({
  settled: z.boolean().describe('True once every live node has answered'),
  nodes: z.array(
    z.object({
      node: z.string(),
      ok: z.boolean(),
      reason: z.string().describe('Empty if the node complied'),
    }),
  ),
});

export const Directives = z.object({
  directives: z.array(
    z.object({
      kind: z.enum(['model', 'node']),
      name: z.string(),
      offset: z.int(),
      value: z.record(z.string(), z.unknown()).describe('Desired state; with who asked, and when'),
    }),
  ),
});

export const Health = z.object({ ok: z.boolean() });

export const Readiness = z.object({
  ok: z.boolean(),
  nodes: z.int().describe('Live nodes'),
  models: z.array(z.string()),
});

/** Description of this API itself. */
export const OpenApi = z.record(z.string(), z.unknown());
