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
  /** Chosen by the sender and returned in the reply. */
  id: string;
  model: string;
  /** Version in the model repository; null selects the version served by policy. */
  modelVersion: string | null;
  inputs: Tensor[];
  /** Names of the requested outputs; empty selects all. */
  outputs: string[];
  parameters: Record<string, string>;
  /** Time after which the reply is useless: expired requests are refused, not computed. */
  deadline: number | null;
}

export interface InferenceError {
  /** One of the codes listed in docs/ERRORS.md. */
  code: string;
  /** Names the field, the expected value and the value received. */
  message: string;
  /** True if the same request may succeed when it is retried unchanged. */
  retryable: boolean;
}

export interface Timing {
  /** Time from the record's arrival at the node to the start of its batch. */
  queueMicros: number;
  /** Engine time of its batch. */
  computeMicros: number;
  /** Rows of its batch, across all callers. */
  batchSize: number;
}

/** The result of a request: outputs or an error. */
export interface InferenceReply {
  /** The request's id. */
  id: string;
  model: string;
  modelVersion: string | null;
  outputs: Tensor[];
  error: InferenceError | null;
  /** Name of the node that answered; for information only. */
  node: string | null;
  timing: Timing | null;
}

/** Profile of the model, measured on zeros when it was loaded; times are engine times. */
export interface ModelMeasurement {
  /** Time of a batch with one row. */
  microsAlone: number;
  /** Time per row in the best batch. */
  microsPerRow: number;
  /** Smallest batch that reaches 95 % of the best throughput. */
  bestBatchRows: number;
  /** Cores that one operation may use; null if the process decides. */
  cores: number | null;
  /** Threads that run the model. */
  threads: number;
  /** True if the model runs on the event loop, because handing it to a thread would cost more than computing it. */
  inline: boolean;
  /** Speedup of all threads over one; null if not measured. */
  threadsGain: number | null;
}

/** Batching decision: requests may share batches and be split. */
export interface ModelBatching {
  batchable: boolean;
  /** Reason in plain text. */
  reason: string;
}

export interface TensorStatus {
  name: string;
  datatype: string;
  /** -1 is a dynamic dimension; empty for a scalar or an unknown shape. */
  shape: number[];
  /** Names of the dimensions; '' for an unnamed one, and an empty list if none is named. */
  dimensionNames: string[];
  /** Labels of the columns; only the first ones if the status would become too large. */
  labels: string[];
  /** Total number of labels. */
  labelCount: number;
}

/** A signature of a version. */
export interface SignatureStatus {
  /** Null if signatures have no names; requests select a signature by name in `parameters.signature`. */
  name: string | null;
  inputs: TensorStatus[];
  outputs: TensorStatus[];
  batching: ModelBatching | null;
  measured: ModelMeasurement | null;
  /** Reason why requests cannot use this signature. */
  problem: string | null;
}

/** Work that the node holds for a version, and its throughput; all signatures together. */
export interface ModelLoad {
  /** Rows that wait for a batch or are being computed. */
  pendingRows: number;
  /** Throughput with batching: rows of recent batches by their engine time, over all threads; 0 if unknown. */
  rowsPerSecond: number;
}

/** Cumulative counts since the node loaded the version; all signatures together. */
export interface ModelCounts {
  /** Requests that were answered. */
  requests: number;
  /** Rows of these requests. */
  rows: number;
  /** Batches that were computed. */
  batches: number;
  /** Requests that failed after they were admitted. */
  failed: number;
  /** Time of answered requests before their batch. */
  queueMicros: number;
  /** Engine time of the batches of answered requests, counted once for each request. */
  computeMicros: number;
  /** Time of failed requests from arrival to failure. */
  failedMicros: number;
  /** Time of the last batch; 0 before the first. */
  lastAt: number;
}

export interface ModelVersionStatus {
  model: string;
  version: string;
  /** LOADING, AVAILABLE, UNLOADING or FAILED. */
  state: string;
  backend: string | null;
  /** Reason of the failure. */
  message: string | null;
  /** Null if profiling failed or was disabled. */
  measured: ModelMeasurement | null;
  /** Null while the version is not loaded. */
  batching: ModelBatching | null;
  /** saved_model, onnx, graph_model, layers_model or task. */
  format: string | null;
  /** Package that runs the model, with its version. */
  runtime: string | null;
  /** Hexadecimal SHA-256 of the names and contents of the version's files. */
  filesHash: string | null;
  /** Default signature first. */
  signatures: SignatureStatus[];
  /** Note on signature details omitted because the status would become too large. */
  signaturesNote: string | null;
  /** Null while the version is not loaded. */
  load: ModelLoad | null;
  /** Delivery of the model's requests to its nodes: ordered or queue; null while they are not consumed. */
  delivery: string | null;
  /** Reason why the delivery is not the configured one. */
  deliveryNote: string | null;
  /** Null while the version is not loaded. */
  counts: ModelCounts | null;
}

export interface OwnedPartition {
  topic: string;
  partition: number;
  /** Records after the last one that the node has read, as of its last fetch. */
  lagRecords: number;
}

/** State of an applied binding on a node. */
export interface BindingStatus {
  binding: string;
  /** Revision of the applied content. */
  revision: string;
  /** WAITING for its model, STARTING, RUNNING or FAILED; failed bindings are retried. */
  state: string;
  /** Reason for waiting or failing. */
  message: string | null;
}

/** Status of a node on the compacted node topic. The record key is the node's id; a tombstone means that the node has left. */
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
  /** Engine time per row, exponentially weighted moving average. */
  serviceMicros: number;
  /** Number of in-flight requests at which the node stops accepting more. */
  capacityRequests: number;
  /** Offset of the control topic up to which directives have been applied, exclusive; -1 if the node cannot read it. */
  controlOffset: number;
  /** Folders of the model repository that are not valid models or versions, each with the reason. */
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
      "doc": "Chosen by the sender and returned in the reply."
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
      "doc": "Version in the model repository; null selects the version served by policy."
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
      "doc": "Names of the requested outputs; empty selects all."
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
      "doc": "Time after which the reply is useless: expired requests are refused, not computed."
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
      "doc": "One of the codes listed in docs/ERRORS.md."
    },
    {
      "name": "message",
      "type": "string",
      "doc": "Names the field, the expected value and the value received."
    },
    {
      "name": "retryable",
      "type": "boolean",
      "doc": "True if the same request may succeed when it is retried unchanged."
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
      "doc": "Time from the record's arrival at the node to the start of its batch."
    },
    {
      "name": "computeMicros",
      "type": "long",
      "doc": "Engine time of its batch."
    },
    {
      "name": "batchSize",
      "type": "int",
      "doc": "Rows of its batch, across all callers."
    }
  ]
} as const;

export const InferenceReplySchema = {
  "type": "record",
  "name": "InferenceReply",
  "namespace": "partitura",
  "doc": "The result of a request: outputs or an error.",
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
      "doc": "Name of the node that answered; for information only."
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
  "doc": "Status of a node on the compacted node topic. The record key is the node's id; a tombstone means that the node has left.",
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
              "doc": "Reason of the failure."
            },
            {
              "name": "measured",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelMeasurement",
                  "doc": "Profile of the model, measured on zeros when it was loaded; times are engine times.",
                  "fields": [
                    {
                      "name": "microsAlone",
                      "type": "double",
                      "doc": "Time of a batch with one row."
                    },
                    {
                      "name": "microsPerRow",
                      "type": "double",
                      "doc": "Time per row in the best batch."
                    },
                    {
                      "name": "bestBatchRows",
                      "type": "int",
                      "doc": "Smallest batch that reaches 95 % of the best throughput."
                    },
                    {
                      "name": "cores",
                      "type": [
                        "null",
                        "int"
                      ],
                      "default": null,
                      "doc": "Cores that one operation may use; null if the process decides."
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
                      "doc": "True if the model runs on the event loop, because handing it to a thread would cost more than computing it."
                    },
                    {
                      "name": "threadsGain",
                      "type": [
                        "null",
                        "double"
                      ],
                      "default": null,
                      "doc": "Speedup of all threads over one; null if not measured."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null if profiling failed or was disabled."
            },
            {
              "name": "batching",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelBatching",
                  "doc": "Batching decision: requests may share batches and be split.",
                  "fields": [
                    {
                      "name": "batchable",
                      "type": "boolean"
                    },
                    {
                      "name": "reason",
                      "type": "string",
                      "doc": "Reason in plain text."
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
              "doc": "saved_model, onnx, graph_model, layers_model or task."
            },
            {
              "name": "runtime",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Package that runs the model, with its version."
            },
            {
              "name": "filesHash",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Hexadecimal SHA-256 of the names and contents of the version's files."
            },
            {
              "name": "signatures",
              "type": {
                "type": "array",
                "items": {
                  "type": "record",
                  "name": "SignatureStatus",
                  "doc": "A signature of a version.",
                  "fields": [
                    {
                      "name": "name",
                      "type": [
                        "null",
                        "string"
                      ],
                      "default": null,
                      "doc": "Null if signatures have no names; requests select a signature by name in `parameters.signature`."
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
                              "doc": "-1 is a dynamic dimension; empty for a scalar or an unknown shape."
                            },
                            {
                              "name": "dimensionNames",
                              "type": {
                                "type": "array",
                                "items": "string"
                              },
                              "default": [],
                              "doc": "Names of the dimensions; '' for an unnamed one, and an empty list if none is named."
                            },
                            {
                              "name": "labels",
                              "type": {
                                "type": "array",
                                "items": "string"
                              },
                              "default": [],
                              "doc": "Labels of the columns; only the first ones if the status would become too large."
                            },
                            {
                              "name": "labelCount",
                              "type": "int",
                              "default": 0,
                              "doc": "Total number of labels."
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
                      "doc": "Reason why requests cannot use this signature."
                    }
                  ]
                }
              },
              "default": [],
              "doc": "Default signature first."
            },
            {
              "name": "signaturesNote",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Note on signature details omitted because the status would become too large."
            },
            {
              "name": "load",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelLoad",
                  "doc": "Work that the node holds for a version, and its throughput; all signatures together.",
                  "fields": [
                    {
                      "name": "pendingRows",
                      "type": "long",
                      "doc": "Rows that wait for a batch or are being computed."
                    },
                    {
                      "name": "rowsPerSecond",
                      "type": "double",
                      "doc": "Throughput with batching: rows of recent batches by their engine time, over all threads; 0 if unknown."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null while the version is not loaded."
            },
            {
              "name": "delivery",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Delivery of the model's requests to its nodes: ordered or queue; null while they are not consumed."
            },
            {
              "name": "deliveryNote",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Reason why the delivery is not the configured one."
            },
            {
              "name": "counts",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "ModelCounts",
                  "doc": "Cumulative counts since the node loaded the version; all signatures together.",
                  "fields": [
                    {
                      "name": "requests",
                      "type": "long",
                      "doc": "Requests that were answered."
                    },
                    {
                      "name": "rows",
                      "type": "long",
                      "doc": "Rows of these requests."
                    },
                    {
                      "name": "batches",
                      "type": "long",
                      "doc": "Batches that were computed."
                    },
                    {
                      "name": "failed",
                      "type": "long",
                      "doc": "Requests that failed after they were admitted."
                    },
                    {
                      "name": "queueMicros",
                      "type": "long",
                      "doc": "Time of answered requests before their batch."
                    },
                    {
                      "name": "computeMicros",
                      "type": "long",
                      "doc": "Engine time of the batches of answered requests, counted once for each request."
                    },
                    {
                      "name": "failedMicros",
                      "type": "long",
                      "doc": "Time of failed requests from arrival to failure."
                    },
                    {
                      "name": "lastAt",
                      "type": {
                        "type": "long",
                        "logicalType": "timestamp-millis"
                      },
                      "doc": "Time of the last batch; 0 before the first."
                    }
                  ]
                }
              ],
              "default": null,
              "doc": "Null while the version is not loaded."
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
            },
            {
              "name": "lagRecords",
              "type": "long",
              "default": 0,
              "doc": "Records after the last one that the node has read, as of its last fetch."
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
          "doc": "State of an applied binding on a node.",
          "fields": [
            {
              "name": "binding",
              "type": "string"
            },
            {
              "name": "revision",
              "type": "string",
              "doc": "Revision of the applied content."
            },
            {
              "name": "state",
              "type": "string",
              "doc": "WAITING for its model, STARTING, RUNNING or FAILED; failed bindings are retried."
            },
            {
              "name": "message",
              "type": [
                "null",
                "string"
              ],
              "default": null,
              "doc": "Reason for waiting or failing."
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
      "doc": "Engine time per row, exponentially weighted moving average."
    },
    {
      "name": "capacityRequests",
      "type": "int",
      "default": 0,
      "doc": "Number of in-flight requests at which the node stops accepting more."
    },
    {
      "name": "controlOffset",
      "type": "long",
      "default": -1,
      "doc": "Offset of the control topic up to which directives have been applied, exclusive; -1 if the node cannot read it."
    },
    {
      "name": "skippedFolders",
      "type": {
        "type": "array",
        "items": "string"
      },
      "default": [],
      "doc": "Folders of the model repository that are not valid models or versions, each with the reason."
    }
  ]
} as const;
