import type { GatewayServices } from '../../dialects/rest-dialect.js';
import { COMMAND, complied, refuseParameters } from '../../open-inference/repository-control.js';
import { repositoryIndex } from '../../open-inference/repository-index.js';
import type { UnaryMethod } from '../grpc-service.js';

interface LoadRequest {
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Creates the methods of the model repository. */
export function repositoryMethods({ control, models }: GatewayServices): Record<string, UnaryMethod> {
  return {
    RepositoryIndex: ({ ready }: { readonly ready: boolean }, { identity }) => ({
      models: repositoryIndex(models.visibleTo(identity), ready),
    }),
    RepositoryModelLoad: async ({ model_name: model, parameters }: LoadRequest, { identity }) => {
      identity.requireControl();
      refuseParameters(parameters);
      return complied(await control.load(model, COMMAND), `failed to load '${model}'`);
    },
    RepositoryModelUnload: async ({ model_name: model }: LoadRequest, { identity }) => {
      identity.requireControl();
      return complied(await control.unload(model, COMMAND), `failed to unload '${model}'`);
    },
  };
}
