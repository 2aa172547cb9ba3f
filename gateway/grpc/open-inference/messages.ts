/** A value of a parameter; `parameter_choice` names the field that holds it. */
export interface InferParameter {
  readonly parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'double_param' | 'uint64_param';
  readonly bool_param?: boolean;
  readonly int64_param?: string;
  readonly string_param?: string;
  readonly double_param?: number;
  readonly uint64_param?: string;
}

export type InferParameters = Readonly<Record<string, InferParameter>>;

/** Data of a tensor as numbers or bytes, in the field of its data type. */
export interface InferTensorContents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Buffer[];
}

export interface InferInputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly parameters: InferParameters;
  readonly contents: InferTensorContents | null;
}

export interface ModelInferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: InferParameters;
  readonly inputs: readonly InferInputTensor[];
  readonly outputs: readonly { readonly name: string; readonly parameters: InferParameters }[];
  /** Data of all inputs in their order; then no input has `contents`. */
  readonly raw_input_contents: readonly Buffer[];
}

/** A model, and a version unless it is empty. */
export interface ModelRequest {
  readonly name: string;
  readonly version: string;
}

/** Returns the version that a message names; in proto3, an empty text is none. */
export function optional(text: string): string | undefined {
  return text === '' ? undefined : text;
}
