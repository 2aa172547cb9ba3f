import { modelStatus } from '../../tensorflow/model-status.js';
import { unsupported } from '../../open-inference/unsupported.js';
import type { GrpcService } from '../grpc-service.js';
import { classify, regress } from './classify-regress.js';
import { getModelMetadata } from './model-metadata.js';
import { modelOf, requireSpec, type ModelSpec } from './model-spec.js';
import { multiInference } from './multi-inference.js';
import { predict } from './predict.js';

const DIALECT = 'grpc-tensorflow-serving';

/**
 * Predictions as in TensorFlow Serving.
 * https://github.com/tensorflow/serving/blob/master/tensorflow_serving/apis/prediction_service.proto
 */
export const predictionService: GrpcService = {
  name: 'tensorflow.serving.PredictionService',
  dialect: DIALECT,

  methods: (services) => ({
    unary: {
      Predict: predict(services),
      Classify: classify(services),
      Regress: regress(services),
      MultiInference: multiInference(services),
      GetModelMetadata: getModelMetadata(services),
    },
  }),
};

/** States of models as in TensorFlow Serving; which models a node serves is not changed by this API. */
export const modelService: GrpcService = {
  name: 'tensorflow.serving.ModelService',
  dialect: DIALECT,

  methods: ({ models }) => ({
    unary: {
      GetModelStatus: ({ model_spec: spec }: { readonly model_spec: ModelSpec | null }, { identity }) => ({
        model_version_status: modelStatus(models.visibleTo(identity), modelOf(requireSpec(spec))),
      }),
      HandleReloadConfigRequest: () => {
        throw unsupported(
          'HandleReloadConfigRequest is not supported: nodes serve what is in their repositories; see RepositoryModelLoad',
        );
      },
    },
  }),
};
