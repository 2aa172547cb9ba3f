// What is wrong in binding/tfjs_backend.cc of @tensorflow/tfjs-node 4.22.0 for a server with many threads and models.
import { SetupError } from './errors.mjs';

/** One global set is written by every thread without a lock, and we run one engine per worker thread. */
const perThread = {
  from: 'static std::set<std::string> ATTR_NAME_SET;',
  to: 'static thread_local std::set<std::string> ATTR_NAME_SET;',
};

/**
 * Deleting a string tensor frees its characters even where others share them: labels that are constants of a model read
 * as empty from the second run on. A tensor's buffer must own its strings, and give them up with its last reference.
 */
const ownStrings = {
  from: `// Creates a TFE_TensorHandle from a JS array of Uint8Array values.
`,
  to: `static void DeallocStrings(void *data, size_t length, void *) {
  TF_TString *strings = static_cast<TF_TString *>(data);
  for (size_t i = 0; i < length / sizeof(TF_TString); i++) {
    TF_TString_Dealloc(strings + i);
  }
  free(data);
}

// Aligned as TensorFlow's kernels demand on every processor.
static TF_Tensor *NewStringTensor(const int64_t *shape, uint32_t shape_length, size_t count) {
  const size_t alignment = 64;
  const size_t length = count * sizeof(TF_TString);
  void *data = aligned_alloc(alignment, (length / alignment + 1) * alignment);
  for (size_t i = 0; i < count; i++) {
    TF_TString_Init(static_cast<TF_TString *>(data) + i);
  }
  return TF_NewTensor(TF_STRING, shape, shape_length, data, length, DeallocStrings, nullptr);
}

// Creates a TFE_TensorHandle from a JS array of Uint8Array values.
`,
};

const createOwning = {
  from: `TF_AllocateTensor(TF_DataType::TF_STRING, shape,
                                         shape_length,
                                         array_length * sizeof(TF_TString))`,
  to: 'NewStringTensor(shape, shape_length, array_length)',
};

const deleteOwnReference = {
  from: `  if (TFE_TensorHandleDataType(tensor_handle) == TF_STRING) {
    TF_AutoStatus tf_status;
    TF_AutoTensor tensor(
        TFE_TensorHandleResolve(tensor_handle, tf_status.status));
    ENSURE_TF_OK(env, tf_status);
    size_t num_elements = GetTensorNumElements(tensor.tensor);
    TF_TString *data = reinterpret_cast<TF_TString *>(TF_TensorData(tensor.tensor));

    // Deallocate each string
    for (size_t i = 0; i < num_elements; i++) {
      TF_TString_Dealloc(data + i);
    }
  };
  TFE_DeleteTensorHandle(tensor_entry->second);
`,
  to: `  TFE_DeleteTensorHandle(tensor_handle);
`,
};

/** A run that the model refuses returns before its inputs are deleted. */
const deleteRefusedInputs = {
  from: `    NAPI_THROW_ERROR(env, "Session fail to run with error: %s",
`,
  to: `    for (TF_Tensor *input : input_values) TF_DeleteTensor(input);
    NAPI_THROW_ERROR(env, "Session fail to run with error: %s",
`,
};

export const patches = [perThread, ownStrings, createOwning, deleteOwnReference, deleteRefusedInputs];

/** Throws SetupError when a place to patch is not there exactly once. */
export function patch(source) {
  return patches.reduce((text, { from, to }) => {
    const [before, after, ...more] = text.split(from);
    if (after === undefined || more.length > 0)
      throw new SetupError(
        `expected once in @tensorflow/tfjs-node's binding/tfjs_backend.cc, for our patch: ${from.trim()}`,
      );
    return before + to + after;
  }, source);
}
