import { z } from 'zod';

const SignatureName = z.string().optional().describe('Default: the default signature of the model');

export const PredictRequest = z
  .object({
    signature_name: SignatureName,
    instances: z.array(z.unknown()).optional().describe('Rows: values, or objects by name of input'),
    inputs: z.unknown().optional().describe('Columns: a tensor, or an object of tensors by name of input'),
  })
  .describe('Either instances or inputs. Bytes are {"b64": "…"}.')
  .meta({ example: { instances: [[1.5, 2]] } });

export const PredictResponse = z.object({
  predictions: z.array(z.unknown()).optional().describe('Answers instances'),
  outputs: z.unknown().optional().describe('Answers inputs'),
});

const Features = z.record(z.string(), z.unknown());

export const ExamplesRequest = z
  .object({
    signature_name: SignatureName,
    context: Features.optional().describe('Features that all examples share'),
    examples: z.array(Features).describe('Features of tf.Example by name'),
  })
  .meta({ example: { examples: [{ x: 1.5 }] } });

export const ClassifyResponse = z.object({
  results: z.array(z.array(z.array(z.unknown()))).describe('Pairs of label and score for each example'),
});

export const RegressResponse = z.object({
  results: z.array(z.unknown()).describe('A value for each example'),
});

export const ModelStatus = z.object({
  model_version_status: z.array(
    z.object({
      version: z.string(),
      state: z.enum(['START', 'LOADING', 'AVAILABLE', 'UNLOADING', 'END']),
      status: z.object({ error_code: z.enum(['OK', 'UNKNOWN']), error_message: z.string() }),
    }),
  ),
});

export const SignatureMetadata = z.object({
  model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
  metadata: z.object({
    signature_def: z.object({ signature_def: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  }),
});
