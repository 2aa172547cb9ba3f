import { z } from 'zod';

export const WatsonPredictionRequest = z
  .object({
    input_data: z.array(
      z.object({
        id: z.string().optional().describe('Name of an input, for models with several'),
        fields: z.array(z.string()).optional(),
        values: z.array(z.unknown()).describe('Rows'),
      }),
    ),
  })
  .meta({ example: { input_data: [{ fields: ['a', 'b'], values: [[1.5, 2]] }] } });

export const WatsonPrediction = z.object({
  predictions: z.array(z.object({ fields: z.array(z.string()), values: z.array(z.array(z.unknown())) })),
});

export const WatsonDeployment = z.object({
  metadata: z.object({ id: z.string(), name: z.string() }),
  entity: z.object({
    name: z.string(),
    online: z.object({}),
    status: z.object({ state: z.string() }),
    asset: z.object({ id: z.string(), rev: z.string() }),
  }),
});

export const WatsonDeployments = z.object({ resources: z.array(WatsonDeployment) });

export const WatsonVersion = z.object({ version: z.string() });

export const WatsonErrors = z.object({
  trace: z.string(),
  errors: z.array(z.object({ code: z.string(), message: z.string() })),
  status_code: z.string(),
});
