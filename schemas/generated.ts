// Generated from schemas/*.avsc by scripts/generate-types.mjs: change the schemas, not this file.

/** A tensor as raw bytes: little-endian, row-major. BYTES elements are each preceded by a 4-byte little-endian length. */
export interface Tensor {
  name: string;
  /** Open Inference Protocol name: BOOL, UINT8..UINT64, INT8..INT64, FP16, FP32, FP64, BYTES. */
  datatype: string;
  shape: number[];
  data: Buffer;
}

/** A prediction request. The first dimension of every input is the batch dimension. */
export interface InferenceRequest {
  /** Chosen by the sender; the reply carries it. */
  id: string;
  model: string;
  /** A version of the model repository; null: the one that the policy serves. */
  modelVersion: string | null;
  inputs: Tensor[];
  /** Names of the outputs wanted; empty: all. */
  outputs: string[];
  parameters: Record<string, string>;
  /** After this instant the answer is of no use: expired work is refused, not done. */
  deadline: number | null;
}

export interface InferenceError {
  /** One of the closed list in docs/ERRORS.md. */
  code: string;
  /** Names the field, what was expected and what came. */
  message: string;
  /** Whether the same request may succeed when sent again unchanged. */
  retryable: boolean;
}

export interface Timing {
  /** From the record's arrival at the node to the start of its batch. */
  queueMicros: number;
  /** Time of its batch in the engine. */
  computeMicros: number;
  /** Rows of its batch, all callers together. */
  batchSize: number;
}

/** The one outcome of a request: outputs, or an error. */
export interface InferenceReply {
  /** The request's id. */
  id: string;
  model: string;
  modelVersion: string | null;
  outputs: Tensor[];
  error: InferenceError | null;
  /** Which node answered: information, never a concern. */
  node: string | null;
  timing: Timing | null;
}

/** What trying the model out on zeros has shown when it was loaded; times are the engine's. */
export interface ModelMeasurement {
  /** A batch of one row. */
  microsAlone: number;
  /** A row of the best batch. */
  microsPerRow: number;
  /** The smallest batch that has 95 % of the best throughput. */
  bestBatchRows: number;
  /** Cores that one operation may use; null where the process decides. */
  cores: number | null;
  /** Threads that run the model. */
  threads: number;
  /** Whether it runs in the event loop instead: it is so light that the way to a thread would cost more. */
  inline: boolean;
  /** How many times faster all threads are together than one; null when that was not measured. */
  threadsGain: number | null;
}

/** Whether requests share batches and are cut. */
export interface ModelBatching {
  batchable: boolean;
  /** In words. */
  reason: string;
}

export interface TensorStatus {
  name: string;
  datatype: string;
  /** -1 is an open dimension; empty for a scalar and where the model does not say. */
  shape: number[];
  /** Beside the shape; empty where a dimension has no name, and none at all where no dimension has one. */
  dimensionNames: string[];
  /** Of the columns; the first ones where the status would become too large. */
  labels: string[];
  /** How many labels there are. */
  labelCount: number;
}

/** One way to call a version. */
export interface SignatureStatus {
  /** Null where signatures have no names; `parameters.signature` of a request chooses by it. */
  name: string | null;
  inputs: TensorStatus[];
  outputs: TensorStatus[];
  batching: ModelBatching | null;
  measured: ModelMeasurement | null;
  /** Why requests cannot name it. */
  problem: string | null;
}

export interface ModelVersionStatus {
  model: string;
  version: string;
  /** LOADING, AVAILABLE, UNLOADING or FAILED. */
  state: string;
  backend: string | null;
  /** Why it failed. */
  message: string | null;
  /** Null when that failed or was not wanted. */
  measured: ModelMeasurement | null;
  /** Null while the version is not loaded. */
  batching: ModelBatching | null;
  /** saved_model, onnx, graph_model or layers_model. */
  format: string | null;
  /** Package that computes the model, with its version. */
  runtime: string | null;
  /** SHA-256 over the names and contents of the version's files, as hexadecimal digits. */
  filesHash: string | null;
  /** The default one first. */
  signatures: SignatureStatus[];
  /** Says what of the signatures is left out because the status would become too large. */
  signaturesNote: string | null;
}

export interface OwnedPartition {
  topic: string;
  partition: number;
}

/** What a node makes of a binding that was applied. */
export interface BindingStatus {
  binding: string;
  /** Of the content that was applied. */
  revision: string;
  /** WAITING for its model, STARTING, RUNNING or FAILED; one that failed is tried again. */
  state: string;
  /** Why it waits or failed. */
  message: string | null;
}

/** What a node says of itself on the compacted topic of nodes; its key is the node's id, a tombstone means that it left. */
export interface NodeStatus {
  node: string;
  host: string;
  startedAt: number;
  beatAt: number;
  state: 'STARTING' | 'READY' | 'DRAINING';
  models: ModelVersionStatus[];
  partitions: OwnedPartition[];
  bindings: BindingStatus[];
  inflightRequests: number;
  inflightBytes: number;
  /** Engine time per row, exponentially weighted. */
  serviceMicros: number;
  /** In-flight requests at which the node stops taking more. */
  capacityRequests: number;
  /** Folders of the model repository that cannot be a model or a version, each with the reason in words. */
  skippedFolders: string[];
}

export const TensorSchema = {
  "type": "record",
  "name": "Tensor",
  "namespace": "partitura",
  "doc": "A tensor as raw bytes: little-endian, row-major. BYTES elements are each preceded by a 4-byte little-endian length.",
  "fields": [
    {
      "name": "name",
      "type": "string"
    },
    {
      "name": "datatype",
      "type": "string",
      "doc": "Open Inference Protocol name: BOOL, UINT8..UINT64, INT8..INT64, FP16, FP32, FP64, BYTES."
    },
    {
      "name": "shape",
      "type": {
        "type": "array",
        "items": "long"
      }
    },
    {
      "name": "data",
      "type": "bytes"
    }
  ]
} as const;

export const InferenceRequestSchema = {
  "type": "record",
  "name": "InferenceRequest",
  "namespace": "partitura",
  "doc": "A prediction request. The first dimension of every input is the batch dimension.",
  "fields": [
    {
      "name": "id",
      "type": "string",
      "doc": "Chosen by the sender; the reply carries it."
    },
    {
      "name": "model",
      "type": "string"
    },
    {
      "name": "modelVersion",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "A version of the model repository; null: the one that the policy serves."
    },
    {
      "name": "inputs",
      "type": {
        "type": "array",
        "items": "partitura.Tensor"
      }
    },
    {
      "name": "outputs",
      "type": {
        "type": "array",
        "items": "string"
      },
      "default": [],
      "doc": "Names of the outputs wanted; empty: all."
    },
    {
      "name": "parameters",
      "type": {
        "type": "map",
        "values": "string"
      },
      "default": {}
    },
    {
      "name": "deadline",
      "type": [
        "null",
        {
          "type": "long",
          "logicalType": "timestamp-millis"
        }
      ],
      "default": null,
      "doc": "After this instant the answer is of no use: expired work is refused, not done."
    }
  ]
} as const;

export const InferenceErrorSchema = {
  "type": "record",
  "name": "InferenceError",
  "namespace": "partitura",
  "fields": [
    {
      "name": "code",
      "type": "string",
      "doc": "One of the closed list in docs/ERRORS.md."
    },
    {
      "name": "message",
      "type": "string",
      "doc": "Names the field, what was expected and what came."
    },
    {
      "name": "retryable",
      "type": "boolean",
      "doc": "Whether the same request may succeed when sent again unchanged."
    }
  ]
} as const;

export const TimingSchema = {
  "type": "record",
  "name": "Timing",
  "namespace": "partitura",
  "fields": [
    {
      "name": "queueMicros",
      "type": "long",
      "doc": "From the record's arrival at the node to the start of its batch."
    },
    {
      "name": "computeMicros",
      "type": "long",
      "doc": "Time of its batch in the engine."
    },
    {
      "name": "batchSize",
      "type": "int",
      "doc": "Rows of its batch, all callers together."
    }
  ]
} as const;

export const InferenceReplySchema = {
  "type": "record",
  "name": "InferenceReply",
  "namespace": "partitura",
  "doc": "The one outcome of a request: outputs, or an error.",
  "fields": [
    {
      "name": "id",
      "type": "string",
      "doc": "The request's id."
    },
    {
      "name": "model",
      "type": "string"
    },
    {
      "name": "modelVersion",
      "type": [
        "null",
        "string"
      ],
      "default": null
    },
    {
      "name": "outputs",
      "type": {
        "type": "array",
        "items": "partitura.Tensor"
      },
      "default": []
    },
    {
      "name": "error",
      "type": [
        "null",
        "partitura.InferenceError"
      ],
      "default": null
    },
    {
      "name": "node",
      "type": [
        "null",
        "string"
      ],
      "default": null,
      "doc": "Which node answered: information, never a concern."
    },
    {
      "name": "timing",
      "type": [
        "null",
        "partitura.Timing"
      ],
      "default": null
    }
  ]
} as const;

export const NodeStatusSchema = {
  "type": "record",
  "name": "NodeStatus",
  "namespace": "partitura",
  "doc": "What a node says of itself on the compacted topic of nodes; its key is the node's id, a tombstone means that it left.",
  "fields": [
    {
      "name": "node",
      "type": "string"
    },
    {
      "name": "host",
      "type": "string"
    },
    {
      "name": "startedAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      }
    },
    {
      "name": "beatAt",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      }
    },
    {
      "name": "state",
      "type": {
        "type": "enum",
        "name": "NodeState",
        "symbols": [
          "STARTING",
          "READY",
          "DRAINING"
        ],
        "default": "STARTING"
      }
    },
    {
      "name": "models",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "ModelVersionStatus",
          "fields": [
            {
              "name": "model",
              "type": "string"
            },
            {
              "name": "version",
              "type": "string"
            },
            {
              "name": "state",
              "type": "string",
              "doc": "LOADING, AVAILABLE, UNLOADING or FAILED."
            },
            {
              "name": "backend",
              "type": [
                "null",
                "string"
              ],
              "default": null
            },
            {
              "name": "message",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Why it failed."
            },
            {
              "name": "measured",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelMeasurement",
                  "doc": "What trying the model out on zeros has shown when it was loaded; times are the engine's.",
                  "fields": [
                    {
                      "name": "microsAlone",
                      "type": "double",
                      "doc": "A batch of one row."
                    },
                    {
                      "name": "microsPerRow",
                      "type": "double",
                      "doc": "A row of the best batch."
                    },
                    {
                      "name": "bestBatchRows",
                      "type": "int",
                      "doc": "The smallest batch that has 95 % of the best throughput."
                    },
                    {
                      "name": "cores",
                      "type": [
                        "null",
                        "int"
                      ],
                      "default": null,
                      "doc": "Cores that one operation may use; null where the process decides."
                    },
                    {
                      "name": "threads",
                      "type": "int",
                      "default": 1,
                      "doc": "Threads that run the model."
                    },
                    {
                      "name": "inline",
                      "type": "boolean",
                      "default": false,
                      "doc": "Whether it runs in the event loop instead: it is so light that the way to a thread would cost more."
                    },
                    {
                      "name": "threadsGain",
                      "type": [
                        "null",
                        "double"
                      ],
                      "default": null,
                      "doc": "How many times faster all threads are together than one; null when that was not measured."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null when that failed or was not wanted."
            },
            {
              "name": "batching",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelBatching",
                  "doc": "Whether requests share batches and are cut.",
                  "fields": [
                    {
                      "name": "batchable",
                      "type": "boolean"
                    },
                    {
                      "name": "reason",
                      "type": "string",
                      "doc": "In words."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null while the version is not loaded."
            },
            {
              "name": "format",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "saved_model, onnx, graph_model or layers_model."
            },
            {
              "name": "runtime",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Package that computes the model, with its version."
            },
            {
              "name": "filesHash",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "SHA-256 over the names and contents of the version's files, as hexadecimal digits."
            },
            {
              "name": "signatures",
              "type": {
                "type": "array",
                "items": {
                  "type": "record",
                  "name": "SignatureStatus",
                  "doc": "One way to call a version.",
                  "fields": [
                    {
                      "name": "name",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Null where signatures have no names; `parameters.signature` of a request chooses by it."
                    },
                    {
                      "name": "inputs",
                      "type": {
                        "type": "array",
                        "items": {
                          "type": "record",
                          "name": "TensorStatus",
                          "fields": [
                            {
                              "name": "name",
                              "type": "string"
                            },
                            {
                              "name": "datatype",
                              "type": "string"
                            },
                            {
                              "name": "shape",
                              "type": {
                                "type": "array",
                                "items": "long"
                              },
                              "doc": "-1 is an open dimension; empty for a scalar and where the model does not say."
                            },
                            {
                              "name": "dimensionNames",
                              "type": {
                                "type": "array",
                                "items": "string"
                              },
                              "default": [],
                              "doc": "Beside the shape; empty where a dimension has no name, and none at all where no dimension has one."
                            },
                            {
                              "name": "labels",
                              "type": {
                                "type": "array",
                                "items": "string"
                              },
                              "default": [],
                              "doc": "Of the columns; the first ones where the status would become too large."
                            },
                            {
                              "name": "labelCount",
                              "type": "int",
                              "default": 0,
                              "doc": "How many labels there are."
                            }
                          ]
                        }
                      },
                      "default": []
                    },
                    {
                      "name": "outputs",
                      "type": {
                        "type": "array",
                        "items": "TensorStatus"
                      },
                      "default": []
                    },
                    {
                      "name": "batching",
                      "type": [
                        "null",
                        "ModelBatching"
                      ],
                      "default": null
                    },
                    {
                      "name": "measured",
                      "type": [
                        "null",
                        "ModelMeasurement"
                      ],
                      "default": null
                    },
                    {
                      "name": "problem",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Why requests cannot name it."
                    }
                  ]
                }
              },
              "default": [],
              "doc": "The default one first."
            },
            {
              "name": "signaturesNote",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Says what of the signatures is left out because the status would become too large."
            }
          ]
        }
      },
      "default": []
    },
    {
      "name": "partitions",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "OwnedPartition",
          "fields": [
            {
              "name": "topic",
              "type": "string"
            },
            {
              "name": "partition",
              "type": "int"
            }
          ]
        }
      },
      "default": []
    },
    {
      "name": "bindings",
      "type": {
        "type": "array",
        "items": {
          "type": "record",
          "name": "BindingStatus",
          "doc": "What a node makes of a binding that was applied.",
          "fields": [
            {
              "name": "binding",
              "type": "string"
            },
            {
              "name": "revision",
              "type": "string",
              "doc": "Of the content that was applied."
            },
            {
              "name": "state",
              "type": "string",
              "doc": "WAITING for its model, STARTING, RUNNING or FAILED; one that failed is tried again."
            },
            {
              "name": "message",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Why it waits or failed."
            }
          ]
        }
      },
      "default": []
    },
    {
      "name": "inflightRequests",
      "type": "int",
      "default": 0
    },
    {
      "name": "inflightBytes",
      "type": "long",
      "default": 0
    },
    {
      "name": "serviceMicros",
      "type": "double",
      "default": 0,
      "doc": "Engine time per row, exponentially weighted."
    },
    {
      "name": "capacityRequests",
      "type": "int",
      "default": 0,
      "doc": "In-flight requests at which the node stops taking more."
    },
    {
      "name": "skippedFolders",
      "type": {
        "type": "array",
        "items": "string"
      },
      "default": [],
      "doc": "Folders of the model repository that cannot be a model or a version, each with the reason in words."
    }
  ]
} as const;
